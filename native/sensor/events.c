#include "events.h"

#include "event.h"
#include "failure.h"
#include "hashes.h"
#include "instances.h"
#include "json.h"
#include "loop.h"
#include "output.h"
#include "patterns.h"
#include "repeats.h"
#include "tell.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <unistd.h>

enum {
  BATCH = 4096,           /* records that are read before the output is looked at again */
  LOSSES_MS = 1000,
  STRANGER_LINGERS_MS = 1000, /* the last of its processes end after its first one */
  CGROUP_ROOM = 4096,
};

struct ending {
  STAILQ_ENTRY(ending) next;
  uint64_t cookie;
  int64_t at;
};

/* What is to be done when the ring has been read up to a position. */
struct barrier {
  STAILQ_ENTRY(barrier) next;
  unsigned long position;
  events_then then;
  uint64_t tag, cookie;
};

static struct {
  struct ring_buffer *ring;
  const unsigned long *read_to, *written_to; /* the kernel's own positions in the ring */
  struct watch watch;
  __u64 *lost, lost_before;
  __u32 *loader_sleeps;
  unsigned read_now;
  int64_t losses_at;
  STAILQ_HEAD(, ending) endings;
  STAILQ_HEAD(, barrier) barriers;
} events;

/*
 * The longest path that the kernel has told: where there are several hierarchies, one may say nothing. Where none does, /proc/PID/cgroup may, if the process is there
 * still.
 */
static size_t cgroup_of(const struct event *event, char room[CGROUP_ROOM], const char **found) {
  const char *at = (const char *)(event + 1), *end = (const char *)event + event->length;
  size_t longest = 0;
  for (int text = 0; text < TEXTS && event->text[text] <= end - at; at += event->text[text++]) {
    if (event->text[text] <= longest) continue;
    *found = at;
    longest = event->text[text];
  }
  if (longest) return longest;
  char path[64];
  snprintf(path, sizeof path, "/proc/%u/cgroup", event->pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? 0 : read(fd, room, CGROUP_ROOM - 1);
  if (fd >= 0) close(fd);
  room[length > 0 ? length : 0] = '\0';
  for (char *line = room, *stop; (stop = strchr(line, '\n')); line = stop + 1) {
    const char *name = memchr(line, ':', (size_t)(stop - line));
    name = name ? memchr(name + 1, ':', (size_t)(stop - name - 1)) : NULL;
    if (!name || (size_t)(stop - name - 1) <= longest) continue;
    *found = name + 1;
    longest = (size_t)(stop - *found);
  }
  return longest;
}

static void tell_stranger(const struct event *event) {
  char room[CGROUP_ROOM];
  const char *found = "";
  size_t found_length = cgroup_of(event, room, &found);
  instance_add_stranger(event->cookie, event->stranger.namespace);
  struct json json = json_begin(output_memory(), LINE_ROOM);
  json_string(&json, "type", "stranger");
  json_unsigned(&json, "cookie", event->cookie);
  json_unsigned(&json, "pid", event->pid);
  json_unsigned(&json, "pidNamespace", event->stranger.namespace);
  json_unsigned(&json, "cgroupId", event->stranger.cgroup);
  json_text(&json, "cgroup", found, found_length);
  output_line(json.begin, json_end(&json));
}

static void stranger_ends(uint64_t cookie) {
  struct ending *ending = malloc(sizeof *ending);
  if (!ending) return;
  ending->cookie = cookie;
  ending->at = now_ms() + STRANGER_LINGERS_MS;
  STAILQ_INSERT_TAIL(&events.endings, ending, next);
}

static void tell_gone(uint64_t tag, uint64_t cookie) {
  (void)tag;
  struct json json = json_begin(output_memory(), LINE_ROOM);
  json_string(&json, "type", "gone");
  json_unsigned(&json, "cookie", cookie);
  if (instance_remove(cookie, &json) == 0) output_line(json.begin, json_end(&json));
}

/*
 * Makes the path of an open that no kernel has resolved absolute and plain: below the folder that it starts in, without `.`, `..` and empty names. Links in it are not
 * followed. The folder is no text of its own any more.
 */
static void resolve(struct event *event, size_t room) {
  static char joined[2 * PATH_ROOM + 1];
  const char *text = (const char *)(event + 1);
  size_t length = event->text[TEXT_PATH], folder = event->text[TEXT_DIRECTORY], before = length + event->text[TEXT_TARGET], at = 0, used = 0;
  if (length == 0 || before + folder > event->length - sizeof *event || length > PATH_ROOM || folder > PATH_ROOM || sizeof *event + sizeof joined > room) return;
  if (text[0] != '/' && folder == 0) return;
  if (text[0] != '/') {
    memcpy(joined, text + before, folder);
    at = folder;
    joined[at++] = '/';
  }
  memcpy(joined + at, text, length);
  size_t end = at + length;
  if (joined[0] != '/') return; /* a folder whose beginning did not fit */
  for (at = 0; at < end;) {
    while (at < end && joined[at] == '/') at++;
    size_t begin = at;
    while (at < end && joined[at] != '/') at++;
    size_t size = at - begin;
    if (size == 0 || (size == 1 && joined[begin] == '.')) continue;
    if (size == 2 && joined[begin] == '.' && joined[begin + 1] == '.') {
      while (used > 0 && joined[--used] != '/') {
      }
      continue;
    }
    /* What is written lies before what is read: each name was preceded by a slash, the first one perhaps not by one of these. */
    memmove(joined + used + 1, joined + begin, size);
    joined[used] = '/';
    used += size + 1;
  }
  if (used == 0) joined[used++] = '/';
  if (used > PATH_ROOM) used = PATH_ROOM;
  memcpy(event + 1, joined, used);
  memset(event->text, 0, sizeof event->text);
  event->text[TEXT_PATH] = (__u16)used;
  event->length = (__u32)(sizeof *event + used);
}

/*
 * Compares what the kernel could not. The event as it is then, in memory of its own since the ring can only be read; NULL when it is not wanted.
 */
static const struct event *settle_interest(const struct event *event) {
  static _Alignas(struct event) char settled[sizeof(struct event) + TEXTS * PATH_ROOM];
  const __u16 maybe = MAYBE_SENSITIVE | MAYBE_WRITE_WATCHED;
  if (event->type != EVENT_open || !(event->open.interest & maybe) || event->length > sizeof settled) return event;
  memcpy(settled, event, event->length);
  struct event *copy = (struct event *)settled;
  bool unresolved = event->flags & IS_USER;
  if (unresolved) resolve(copy, sizeof settled);
  uint32_t interest = patterns_of(settled + sizeof *copy, copy->text[TEXT_PATH], unresolved);
  if (!(event->open.interest & MAYBE_SENSITIVE)) interest &= ~(uint32_t)SENSITIVE;
  if (!(event->open.interest & MAYBE_WRITE_WATCHED)) interest &= ~(uint32_t)WRITE_WATCHED;
  if (!interest && !event->open.certain) return NULL;
  if (interest & SENSITIVE) copy->flags |= IS_SENSITIVE;
  return copy;
}

static int on_record(void *context, void *data, size_t size) {
  (void)context;
  const struct event *event = data;
  if (size < sizeof *event || event->length > size || event->length < sizeof *event) return 0;
  if (event->type == EVENT_STRANGER) {
    tell_stranger(event);
  } else {
    const struct event *settled = settle_interest(event);
    if (settled)
      repeats_take(settled);
    else
      instance_refuse(event->cookie, event->type);
  }
  if (event->type == EVENT_exit && event->flags & ENDS_NAMESPACE) stranger_ends(event->cookie);
  events.read_now++;
  return events.read_now >= BATCH || output_is_full() ? -EAGAIN : 0;
}

static void on_wake(struct watch *watch, uint32_t ready) {
  (void)watch;
  (void)ready; /* the ring is read in every turn */
}

void events_open(int ring_map, __u64 *lost, __u32 *loader_sleeps) {
  events.lost = lost;
  events.loader_sleeps = loader_sleeps;
  STAILQ_INIT(&events.endings);
  STAILQ_INIT(&events.barriers);
  repeats_open(tell_event);
  hashes_open(tell_hash);
  events.ring = ring_buffer__new(ring_map, on_record, NULL, NULL);
  if (!events.ring) fail("memory", "map the ring: %s", strerror(errno));
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const char *positions = mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, ring_map, 0);
  if (positions == MAP_FAILED) fail("memory", "map the ring's positions: %s", strerror(errno));
  events.read_to = (const unsigned long *)positions;
  events.written_to = (const unsigned long *)(positions + page);
  events.watch = (struct watch){.fd = ring_buffer__epoll_fd(events.ring), .ready = on_wake};
  if (!loop_add(&events.watch, EPOLLIN)) fail("memory", "wait for the ring: %s", strerror(errno));
}

bool events_after(events_then then, uint64_t tag, uint64_t cookie) {
  struct barrier *barrier = malloc(sizeof *barrier);
  if (!barrier) return false;
  *barrier = (struct barrier){.position = __atomic_load_n(events.written_to, __ATOMIC_ACQUIRE), .then = then, .tag = tag, .cookie = cookie};
  STAILQ_INSERT_TAIL(&events.barriers, barrier, next);
  return true;
}

bool events_are_settled(void) { return STAILQ_EMPTY(&events.barriers); }

/* Positions only grow, and may wrap. */
static bool is_reached(const struct barrier *barrier) { return (long)(__atomic_load_n(events.read_to, __ATOMIC_ACQUIRE) - barrier->position) >= 0; }

static void settle(void) {
  struct barrier *barrier = STAILQ_FIRST(&events.barriers);
  if (barrier && is_reached(barrier)) repeats_flush();
  while ((barrier = STAILQ_FIRST(&events.barriers)) && is_reached(barrier)) {
    STAILQ_REMOVE_HEAD(&events.barriers, next);
    barrier->then(barrier->tag, barrier->cookie);
    free(barrier);
  }
}

bool events_read(void) {
  if (output_is_full()) return false;
  events.read_now = 0;
  ring_buffer__consume(events.ring);
  settle();
  return events.read_now > 0;
}

static void tell_losses(uint64_t cookie, const uint64_t dropped[EVENT_SLOTS]) {
  struct json json = json_begin(output_memory(), LINE_ROOM);
  json_string(&json, "type", "losses");
  json_unsigned(&json, "cookie", cookie);
  counts_write(&json, "dropped", dropped);
  output_line(json.begin, json_end(&json));
}

void events_tick(void) {
  int64_t now = now_ms();
  repeats_expire(now);
  struct ending *ending;
  while ((ending = STAILQ_FIRST(&events.endings)) && ending->at <= now && !output_is_full()) {
    STAILQ_REMOVE_HEAD(&events.endings, next);
    instance_hide(ending->cookie);
    if (!events_after(tell_gone, 0, ending->cookie)) fprintf(stderr, "dayfly-sensor: no memory to tell that a container is gone\n");
    free(ending);
  }
  if (now < events.losses_at) return;
  __u64 lost = __atomic_load_n(events.lost, __ATOMIC_RELAXED);
  if (lost == events.lost_before) return;
  events.lost_before = lost;
  events.losses_at = now + LOSSES_MS;
  instances_with_losses(tell_losses);
}

bool events_are_quiet(void) {
  return repeats_is_empty() && STAILQ_EMPTY(&events.endings) && events_are_settled() && __atomic_load_n(events.lost, __ATOMIC_RELAXED) == events.lost_before;
}

void events_sleep(bool sleep) { __atomic_store_n(events.loader_sleeps, sleep, __ATOMIC_SEQ_CST); }
