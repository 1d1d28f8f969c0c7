#include "instances.h"

#include "scripts.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BUCKETS = 4096, STAT_ROOM = 1024, START_FIELD = 22 };

struct known_namespace {
  SLIST_ENTRY(known_namespace) next;
  uint32_t inode;
};

struct known {
  LIST_ENTRY(known) next;
  uint64_t cookie;
  char *root;
  int process; /* folder of a process in /proc, which is gone when that process is; -1: none */
  SLIST_HEAD(, known_namespace) namespaces;
  uint64_t refused[EVENT_SLOTS];
  uint64_t dropped_before;
};

static struct {
  int instances, namespaces, members; /* maps */
  int change_flags;                   /* a program */
  LIST_HEAD(, known) buckets[BUCKETS];
  struct instance gone; /* what those counted that were removed */
} registry;

static const char *const names[EVENT_TYPES] = {
#define X(name) [EVENT_##name] = #name,
    SENSOR_EVENTS(X)
#undef X
};

const char *event_name(unsigned type) { return type < EVENT_TYPES ? names[type] : NULL; }

void instances_open(int instances_map, int namespaces_map, int members_map, int change_flags) {
  registry.change_flags = change_flags;
  registry.instances = instances_map;
  registry.namespaces = namespaces_map;
  registry.members = members_map;
}

static struct known *known_find(uint64_t cookie) {
  struct known *known;
  LIST_FOREACH(known, &registry.buckets[cookie % BUCKETS], next)
  if (known->cookie == cookie) return known;
  return NULL;
}

/* The instance with that cookie, new or as it is. NULL with errno. */
static struct known *known_add(uint64_t cookie, uint32_t flags, const char *root) {
  struct known *known = known_find(cookie);
  if (known) return known;
  struct instance *instance = calloc(1, sizeof *instance);
  known = calloc(1, sizeof *known);
  char *path = root ? strdup(root) : NULL;
  if (instance && known && (path || !root)) {
    instance->flags = flags;
    if (bpf_map_update_elem(registry.instances, &cookie, instance, BPF_NOEXIST) == 0 || errno == EEXIST) {
      free(instance);
      known->cookie = cookie;
      known->root = path;
      known->process = -1;
      LIST_INSERT_HEAD(&registry.buckets[cookie % BUCKETS], known, next);
      return known;
    }
  }
  free(instance);
  free(known);
  free(path);
  return NULL;
}

static int known_own(struct known *known, uint32_t inode) {
  struct known_namespace *namespace = malloc(sizeof *namespace);
  if (!namespace) return ENOMEM;
  namespace->inode = inode;
  SLIST_INSERT_HEAD(&known->namespaces, namespace, next);
  return 0;
}

static void known_forget(struct known *known) {
  while (!SLIST_EMPTY(&known->namespaces)) {
    struct known_namespace *namespace = SLIST_FIRST(&known->namespaces);
    SLIST_REMOVE_HEAD(&known->namespaces, next);
    free(namespace);
  }
  LIST_REMOVE(known, next);
  if (known->process >= 0) close(known->process);
  free(known->root);
  free(known);
}

/* The folder in /proc of a process in that pid namespace. -1: there is none any more. */
static int open_process(int pid, uint32_t namespace) {
  char path[64];
  struct stat status;
  snprintf(path, sizeof path, "/proc/%d", pid);
  int process = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (process >= 0 && fstatat(process, "ns/pid", &status, 0) == 0 && status.st_ino == namespace) return process;
  if (process >= 0) close(process);
  return -1;
}

/* Its scripts are asked for, as far as flags want that. */
static int known_watch_scripts(struct known *known, uint32_t flags) { return flags & (AUDIT_SCRIPTS | ENFORCE_SCRIPTS) ? scripts_watch(known->process) : 0; }

int instance_add_namespace(uint32_t inode, uint64_t cookie, uint32_t flags, const char *root, int pid) {
  struct registration registration = {.cookie = cookie}, before;
  if (bpf_map_lookup_elem(registry.namespaces, &inode, &before) == 0) {
    if (before.cookie == cookie) return 0;
    /* What the kernel had given a stranger is the registered one's from now on. */
    if (before.cookie < FIRST_STRANGER) return EEXIST;
  }
  bool is_new = !known_find(cookie);
  struct known *known = known_add(cookie, flags, root);
  if (!known) return errno ? errno : ENOMEM;
  if (pid && known->process < 0) known->process = open_process(pid, inode);
  int failed = known_watch_scripts(known, flags);
  if (!failed) failed = bpf_map_update_elem(registry.namespaces, &inode, &registration, BPF_ANY) ? errno : known_own(known, inode);
  if (failed && is_new) {
    bpf_map_delete_elem(registry.instances, &cookie);
    known_forget(known);
  }
  return failed;
}

/* Field 22 of /proc/PID/stat; 0 when there is none. The name before it may hold anything, so count from its closing bracket. */
static uint64_t start_of(int pid) {
  char path[64], text[STAT_ROOM];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0) return 0;
  text[length] = '\0';
  const char *at = strrchr(text, ')');
  for (int field = 2; at && field < START_FIELD; field++) at = strchr(at + 1, ' ');
  return at ? strtoull(at + 1, NULL, 10) : 0;
}

int instance_add_process(int pid, uint64_t start_ticks, uint64_t cookie, uint32_t flags, const char *root) {
  int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  if (pidfd < 0) return errno;
  /* Compared after the descriptor is there: from then on it cannot become another one. */
  if (start_ticks && start_of(pid) != start_ticks) {
    close(pidfd);
    return ESRCH;
  }
  bool is_new = !known_find(cookie);
  struct known *known = known_add(cookie, flags, root);
  /* What it does before its first exec is the runtime's; if that is over, the mark means nothing. */
  struct member member = {.cookie = cookie, .sets_up = 1};
  int failed = !known ? (errno ? errno : ENOMEM) : bpf_map_update_elem(registry.members, &pidfd, &member, BPF_ANY) ? errno : 0;
  if (failed && known && is_new) {
    bpf_map_delete_elem(registry.instances, &cookie);
    known_forget(known);
  }
  close(pidfd);
  return failed;
}

void instance_add_stranger(uint64_t cookie, uint32_t inode) {
  struct known *known = known_add(cookie, 0, NULL);
  if (known) known_own(known, inode);
}

int instance_set_flags(uint64_t cookie, uint32_t flags) {
  struct flag_change change = {.cookie = cookie, .flags = flags};
  /* What it writes there comes back the same way. */
  LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &change, .ctx_size_in = sizeof change);
  if (bpf_prog_test_run_opts(registry.change_flags, &options)) return errno;
  if (!change.found) return ENOENT;
  struct known *known = known_find(cookie);
  return known ? known_watch_scripts(known, flags) : 0;
}

int instance_hide(uint64_t cookie) {
  struct known *known = known_find(cookie);
  if (!known) return ENOENT;
  struct known_namespace *namespace;
  SLIST_FOREACH(namespace, &known->namespaces, next) {
    struct registration registration;
    if (bpf_map_lookup_elem(registry.namespaces, &namespace->inode, &registration) == 0 && registration.cookie == cookie)
      bpf_map_delete_elem(registry.namespaces, &namespace->inode);
  }
  return 0;
}

/* What the kernel has counted, less what was not wanted after all. False when there is no such instance. */
static bool read_counts(uint64_t cookie, const struct known *known, struct instance *into) {
  if (bpf_map_lookup_elem(registry.instances, &cookie, into)) return false;
  for (unsigned type = 0; known && type < EVENT_TYPES; type++) {
    into->counts[EMITTED][type] -= known->refused[type];
    into->counts[FILTERED][type] += known->refused[type];
  }
  return true;
}

void counts_write(struct json *json, const char *key, const uint64_t counts[EVENT_SLOTS]) {
  json_open(json, key, '{');
  for (unsigned type = 1; type < EVENT_TYPES; type++)
    if (counts[type]) json_unsigned(json, names[type], counts[type]);
  json_close(json, '}');
}

static void all_counts_write(struct json *json, const struct instance *instance) {
  json_open(json, "counts", '{');
  counts_write(json, "emitted", (const uint64_t *)instance->counts[EMITTED]);
  counts_write(json, "dropped", (const uint64_t *)instance->counts[DROPPED]);
  counts_write(json, "filtered", (const uint64_t *)instance->counts[FILTERED]);
  json_close(json, '}');
}

static void add_counts(struct instance *to, const struct instance *from) {
  for (unsigned counter = 0; counter < COUNTERS; counter++)
    for (unsigned type = 0; type < EVENT_TYPES; type++) to->counts[counter][type] += from->counts[counter][type];
}

int instance_remove(uint64_t cookie, struct json *json) {
  struct known *known = known_find(cookie);
  struct instance counted;
  if (!known || !read_counts(cookie, known, &counted)) return ENOENT;
  bpf_map_delete_elem(registry.instances, &cookie);
  add_counts(&registry.gone, &counted);
  all_counts_write(json, &counted);
  known_forget(known);
  return 0;
}

int instance_counts(uint64_t cookie, struct json *json) {
  struct instance counted;
  if (cookie) {
    struct known *known = known_find(cookie);
    if (!known || !read_counts(cookie, known, &counted)) return ENOENT;
    all_counts_write(json, &counted);
    return 0;
  }
  struct instance all = registry.gone;
  for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
    struct known *known;
    LIST_FOREACH(known, &registry.buckets[bucket], next)
    if (read_counts(known->cookie, known, &counted)) add_counts(&all, &counted);
  }
  all_counts_write(json, &all);
  return 0;
}

void instance_refuse(uint64_t cookie, uint16_t type) {
  struct known *known = known_find(cookie);
  if (known && type < EVENT_TYPES) known->refused[type]++;
}

const char *instance_root(uint64_t cookie) {
  struct known *known = known_find(cookie);
  return known ? known->root : NULL;
}

void instances_with_losses(void (*tell)(uint64_t cookie, const uint64_t dropped[EVENT_SLOTS])) {
  for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
    struct known *known;
    LIST_FOREACH(known, &registry.buckets[bucket], next) {
      struct instance counted;
      if (!read_counts(known->cookie, NULL, &counted)) continue;
      uint64_t dropped = 0;
      for (unsigned type = 0; type < EVENT_TYPES; type++) dropped += counted.counts[DROPPED][type];
      if (dropped == known->dropped_before) continue;
      known->dropped_before = dropped;
      tell(known->cookie, (const uint64_t *)counted.counts[DROPPED]);
    }
  }
}
