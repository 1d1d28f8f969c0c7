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

static struct {
  struct ring_buffer *ring;
  struct watch watch;
  __u64 *lost, lost_before;
  __u32 *loader_sleeps;
  uint64_t most_records;
  unsigned read_now;
  bool draining;
  int64_t losses_at;
  STAILQ_HEAD(, ending) endings;
} events;

/* The last line of /proc/PID/cgroup is the cgroup2 one, or the only one that says something; empty when the process is gone. */
static void tell_stranger(const struct event *event) {
  char path[64], text[CGROUP_ROOM];
  const char *found = "";
  size_t found_length = 0;
  snprintf(path, sizeof path, "/proc/%u/cgroup", event->pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (length > 0) {
    text[length] = '\0';
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
      const char *name = memchr(line, ':', (size_t)(end - line));
      name = name ? memchr(name + 1, ':', (size_t)(end - name - 1)) : NULL;
      if (!name || (size_t)(end - name - 1) <= found_length) continue;
      found = name + 1;
      found_length = (size_t)(end - found);
    }
  }
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

static void tell_gone(uint64_t cookie) {
  instance_hide(cookie);
  events_drain();
  struct json json = json_begin(output_memory(), LINE_ROOM);
  json_string(&json, "type", "gone");
  json_unsigned(&json, "cookie", cookie);
  if (instance_remove(cookie, &json) == 0) output_line(json.begin, json_end(&json));
}

/*
 * Compares what the kernel could not. The event as it is then, in memory of its own since the ring can only be read; NULL when it is not wanted.
 */
static const struct event *settle_interest(const struct event *event) {
  static _Alignas(struct event) char settled[sizeof(struct event) + TEXTS * PATH_ROOM];
  const __u16 maybe = MAYBE_SENSITIVE | MAYBE_WRITE_WATCHED;
  if (event->type != EVENT_open || !(event->open.interest & maybe) || event->length > sizeof settled) return event;
  uint32_t interest = patterns_of((const char *)(event + 1), event->text[TEXT_PATH]);
  if (!(event->open.interest & MAYBE_SENSITIVE)) interest &= ~(uint32_t)SENSITIVE;
  if (!(event->open.interest & MAYBE_WRITE_WATCHED)) interest &= ~(uint32_t)WRITE_WATCHED;
  if (!interest && !event->open.certain) return NULL;
  memcpy(settled, event, event->length);
  struct event *copy = (struct event *)settled;
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
  return !events.draining && (events.read_now >= BATCH || output_is_full()) ? -EAGAIN : 0;
}

static void on_wake(struct watch *watch, uint32_t ready) {
  (void)watch;
  (void)ready; /* the ring is read in every turn */
}

void events_open(int ring_map, uint64_t ring_size, __u64 *lost, __u32 *loader_sleeps) {
  events.lost = lost;
  events.loader_sleeps = loader_sleeps;
  events.most_records = ring_size / sizeof(struct event) + 1;
  STAILQ_INIT(&events.endings);
  repeats_open(tell_event);
  hashes_open(tell_hash);
  events.ring = ring_buffer__new(ring_map, on_record, NULL, NULL);
  if (!events.ring) fail("memory", "map the ring: %s", strerror(errno));
  events.watch = (struct watch){.fd = ring_buffer__epoll_fd(events.ring), .ready = on_wake};
  if (!loop_add(&events.watch, EPOLLIN)) fail("memory", "wait for the ring: %s", strerror(errno));
}

bool events_read(void) {
  if (output_is_full()) return false;
  events.read_now = 0;
  ring_buffer__consume(events.ring);
  return events.read_now > 0;
}

void events_drain(void) {
  uint64_t records = 0;
  events.draining = true;
  do {
    events.read_now = 0;
    ring_buffer__consume(events.ring);
    records += events.read_now;
  } while (events.read_now && records < events.most_records);
  events.draining = false;
  repeats_flush();
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
    tell_gone(ending->cookie);
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
  return repeats_is_empty() && STAILQ_EMPTY(&events.endings) && __atomic_load_n(events.lost, __ATOMIC_RELAXED) == events.lost_before;
}

void events_sleep(bool sleep) { __atomic_store_n(events.loader_sleeps, sleep, __ATOMIC_SEQ_CST); }
