#include "probes.h"

#include "failure.h"
#include "json.h"
#include "output.h"
#include "syscalls.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "sensor.skel.h"

enum { API_VERSION = 1, SCHEMA_VERSION = 1, REASON_ROOM = 256, LINE = 4096 };

/* No program of its own: fanotify's permission events (scripts.c). */
#define SCRIPTS "open_exec"

/* By the programs' names in the object. Others cannot be done without. */
static const char *const optional[] = {"on_connecting", "on_io_uring", "deny_connect4", "deny_connect6", "deny_sendmsg4", "deny_sendmsg6",
                                        "deny_bind4",    "deny_bind6",  SCRIPTS};
enum { OPTIONAL = sizeof optional / sizeof *optional };

static struct {
  struct sensor_bpf *object;
  const struct probes_options *options;
  char missing[OPTIONAL][REASON_ROOM]; /* why; empty: not missing */
  char refused[128];                   /* program that the kernel refused in the last attempt */
} probes;

static int optional_index(const char *program) {
  for (int index = 0; index < OPTIONAL; index++)
    if (strcmp(optional[index], program) == 0) return index;
  return -1;
}

/* How a program is called outside: what it is on. */
static const char *probe_name(const char *program) { return strncmp(program, "on_", 3) == 0 ? program + 3 : program; }

static bool is_unwanted(const char *program) {
  const char *name = probe_name(program), *list = probes.options->without;
  size_t length = strlen(name);
  for (const char *at = list; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
    if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0')) return true;
  return false;
}

/* libbpf says in words only which program was refused. */
static int on_message(enum libbpf_print_level level, const char *format, va_list arguments) {
  char line[LINE];
  if (level != LIBBPF_WARN) return 0;
  if (getenv("DAYFLY_SENSOR_VERBOSE")) {
    va_list again;
    va_copy(again, arguments);
    vfprintf(stderr, format, again);
    va_end(again);
  }
  vsnprintf(line, sizeof line, format, arguments);
  const char *begin = strstr(line, "prog '"), *end = begin ? strstr(begin + 6, "': BPF program load failed") : NULL;
  if (end && (size_t)(end - begin - 6) < sizeof probes.refused) {
    memcpy(probes.refused, begin + 6, (size_t)(end - begin - 6));
    probes.refused[end - begin - 6] = '\0';
  }
  return 0;
}

/* A tracepoint that this kernel does not have is no reason to try. */
static void look_for_tracepoints(const struct btf *kernel) {
  static const struct {
    const char *program, *tracepoint, *type;
  } tracepoints[] = {
      {"on_connecting", "inet_sock_set_state", "btf_trace_inet_sock_set_state"},
      {"on_io_uring", "io_uring_submit_req", "btf_trace_io_uring_submit_req"},
  };
  for (size_t index = 0; index < sizeof tracepoints / sizeof *tracepoints; index++) {
    if (btf__find_by_name_kind(kernel, tracepoints[index].type, BTF_KIND_TYPEDEF) > 0) continue;
    snprintf(probes.missing[optional_index(tracepoints[index].program)], REASON_ROOM, "this kernel has no tracepoint %s", tracepoints[index].tracepoint);
  }
}

/* Not where overlayfs is a module: the kernel's own types do not have its. */
static bool overlay_is_known(const struct btf *kernel) {
  return btf__find_by_name_kind(kernel, "ovl_entry", BTF_KIND_STRUCT) > 0 && btf__find_by_name_kind(kernel, "ovl_path", BTF_KIND_STRUCT) > 0;
}

static int attempt(bool overlay) {
  probes.object = sensor_bpf__open();
  if (!probes.object) return errno ? errno : EINVAL;
  bpf_map__set_max_entries(probes.object->maps.ring, (__u32)probes.options->ring_size);
  probes.object->rodata->ring_size = probes.options->ring_size;
  probes.object->rodata->overlay_is_known = overlay;
  syscalls_fill(probes.object->rodata->rules, probes.object->rodata->socketcalls);
  for (int index = 0; index < OPTIONAL; index++) {
    struct bpf_program *program = bpf_object__find_program_by_name(probes.object->obj, optional[index]);
    if (program && probes.missing[index][0]) bpf_program__set_autoload(program, false);
  }
  probes.refused[0] = '\0';
  if (sensor_bpf__load(probes.object) == 0) return 0;
  int failed = errno;
  sensor_bpf__destroy(probes.object);
  probes.object = NULL;
  return failed;
}

static void fail_for(int failed) {
  if (failed == EPERM || failed == EACCES) fail("permission", "load %s: %s", probes.refused[0] ? probes.refused : "the eBPF programs", strerror(failed));
  if (failed == ENOMEM) fail("memory", "load the eBPF programs: %s", strerror(failed));
  fail("kernel", "load %s: %s", probes.refused[0] ? probes.refused : "the eBPF programs", strerror(failed));
}

static void measure_level(void) {
  LIBBPF_OPTS(bpf_test_run_opts, options);
  if (bpf_prog_test_run_opts(bpf_program__fd(probes.object->progs.measure_level), &options)) fail_for(errno);
}

struct probes probes_load(const struct probes_options *options) {
  probes.options = options;
  libbpf_set_print(on_message);
  if (access("/sys/kernel/btf/vmlinux", R_OK)) fail("btf", "this kernel tells no types: /sys/kernel/btf/vmlinux: %s", strerror(errno));
  struct btf *kernel = btf__load_vmlinux_btf();
  if (!kernel) fail("btf", "read the kernel's types: %s", strerror(errno));
  look_for_tracepoints(kernel);
  const bool overlay = overlay_is_known(kernel);
  btf__free(kernel);
  for (int index = 0; index < OPTIONAL; index++)
    if (is_unwanted(optional[index])) snprintf(probes.missing[index], REASON_ROOM, "not wanted");
  int failed;
  while ((failed = attempt(overlay))) {
    int index = optional_index(probes.refused);
    if (index < 0 || probes.missing[index][0]) fail_for(failed);
    snprintf(probes.missing[index], REASON_ROOM, "refused by this kernel: %s", strerror(failed));
  }
  measure_level();
  struct sensor_bpf *object = probes.object;
  return (struct probes){
      .ring = bpf_map__fd(object->maps.ring),
      .instances = bpf_map__fd(object->maps.instances),
      .namespaces = bpf_map__fd(object->maps.namespaces),
      .members = bpf_map__fd(object->maps.members),
      .paths = bpf_map__fd(object->maps.paths),
      .judged = bpf_map__fd(object->maps.judged),
      .look_at_program = bpf_program__fd(object->progs.look_at_program),
      .scripts = probes.missing[optional_index(SCRIPTS)][0] == '\0',
      .change_flags = bpf_program__fd(object->progs.change_flags),
      .watch_level = &object->bss->watch_level,
      .watch_flags = &object->bss->watch_flags,
      .has_members = &object->bss->has_members,
      .loader_sleeps = &object->bss->loader_sleeps,
      .every_name = &object->bss->every_name,
      .has_patterns = &object->bss->has_patterns,
      .lost = &object->bss->lost,
      .name_filter = object->bss->name_filter,
  };
}

/* Where the cgroup2 hierarchy is mounted, in `path`; false when it is not. Mount points with blanks in them are none that anybody mounts it on. */
static bool find_cgroup(char *path, size_t size) {
  FILE *mounts = fopen("/proc/self/mountinfo", "re");
  char line[LINE];
  bool found = false;
  while (mounts && !found && fgets(line, sizeof line, mounts)) {
    char root[256], point[256];
    const char *kind = strstr(line, " - cgroup2 ");
    if (!kind || sscanf(line, "%*s %*s %*s %255s %255s", root, point) != 2 || strcmp(root, "/") != 0) continue;
    found = (size_t)snprintf(path, size, "%s", point) < size;
  }
  if (mounts) fclose(mounts);
  return found;
}

static int open_cgroup(void) {
  char found[256];
  const char *path = probes.options->cgroup;
  if (!path && find_cgroup(found, sizeof found)) path = found;
  if (!path) {
    errno = ENOENT;
    return -1;
  }
  return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool is_for_cgroups(const struct bpf_program *program) { return bpf_program__type(program) == BPF_PROG_TYPE_CGROUP_SOCK_ADDR; }

/* Beside what others have attached there; gone when its descriptor is. */
static bool attach_to_cgroup(const struct bpf_program *program, int folder) {
  if (folder < 0) return false;
  struct bpf_link *link = bpf_program__attach_cgroup(program, folder);
  return link != NULL;
}

static void attach(struct bpf_program *program, int folder) {
  if (bpf_program__type(program) == BPF_PROG_TYPE_SYSCALL || bpf_program__fd(program) < 0) return;
  if (is_for_cgroups(program) ? attach_to_cgroup(program, folder) : bpf_program__attach(program) != NULL) return;
  int failed = errno, index = optional_index(bpf_program__name(program));
  if (index < 0) fail("kernel", "attach %s: %s", probe_name(bpf_program__name(program)), strerror(failed));
  snprintf(probes.missing[index], REASON_ROOM, is_for_cgroups(program) && folder < 0 ? "the root of the cgroup2 hierarchy: %s" : "attach: %s", strerror(failed));
}

static void write_ready(void) {
  struct utsname host;
  struct bpf_program *program;
  uname(&host);
  struct json json = json_begin(output_memory(), LINE_ROOM);
  json_string(&json, "type", "ready");
  json_unsigned(&json, "api", API_VERSION);
  json_unsigned(&json, "schema", SCHEMA_VERSION);
  json_unsigned(&json, "level", probes.object->bss->own_level);
  json_string(&json, "kernel", host.release);
  json_open(&json, "probes", '[');
  bpf_object__for_each_program(program, probes.object->obj) {
    const char *name = bpf_program__name(program);
    int index = optional_index(name);
    if (bpf_program__type(program) == BPF_PROG_TYPE_SYSCALL || (index >= 0 && probes.missing[index][0])) continue;
    json_element_text(&json, probe_name(name), strlen(probe_name(name)));
  }
  if (!probes.missing[optional_index(SCRIPTS)][0]) json_element_text(&json, SCRIPTS, strlen(SCRIPTS));
  json_close(&json, ']');
  json_open(&json, "missing", '[');
  for (int index = 0; index < OPTIONAL; index++) {
    if (!probes.missing[index][0]) continue;
    json_open(&json, NULL, '{');
    json_string(&json, "probe", probe_name(optional[index]));
    json_string(&json, "reason", probes.missing[index]);
    json_close(&json, '}');
  }
  json_close(&json, ']');
  output_answer(json.begin, json_end(&json));
}

void probes_attach(const char *scripts) {
  char *missing = probes.missing[optional_index(SCRIPTS)];
  if (scripts && !missing[0]) snprintf(missing, REASON_ROOM, "%s", scripts);
  struct bpf_program *program;
  int folder = open_cgroup();
  bpf_object__for_each_program(program, probes.object->obj) attach(program, folder);
  if (folder >= 0) close(folder);
  write_ready();
}
