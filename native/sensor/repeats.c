#include "repeats.h"

#include "loop.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

enum { BUCKETS = 8192, WINDOW_MS = 1000, MOST_KEPT = 16384, MOST_BYTES = 32 << 20, COOKIES = 4096, MOST_OF_COOKIE = 2048 };

struct kept {
  LIST_ENTRY(kept) same_hash;
  TAILQ_ENTRY(kept) same_process, older;
  int64_t until;
  uint64_t hash, repeats;
  struct event event; /* the first repeat, once there is one; its texts follow */
};

static struct {
  repeats_tell tell;
  LIST_HEAD(, kept) by_hash[BUCKETS];
  TAILQ_HEAD(kept_list, kept) by_process[BUCKETS], by_age; /* oldest first, so that what is told of one process stays in its order */
  size_t count, bytes;
  uint16_t of_cookie[COOKIES]; /* so that one instance does not take the room of all */
  uint64_t seed; /* what is compared is the workload's choice: it must not know which hashes are the same */
} repeats;

/* What two records must share begins with the cookie, and ends with the texts. */
enum { COMPARED = offsetof(struct event, cookie) };

static uint64_t hash_of(const struct event *event) {
  const char *at = (const char *)event + COMPARED, *end = (const char *)event + event->length;
  uint64_t hash = repeats.seed, word;
  for (; at + sizeof word <= end; at += sizeof word) {
    memcpy(&word, at, sizeof word);
    hash = (hash ^ word) * 0xFF51AFD7ED558CCDu;
    hash ^= hash >> 32;
  }
  word = 0;
  memcpy(&word, at, (size_t)(end - at));
  hash = (hash ^ word) * 0xFF51AFD7ED558CCDu;
  return hash ^ hash >> 29;
}

static unsigned process_bucket(const struct event *event) { return (unsigned)((event->start ^ event->pid * 0x9E3779B1u) % BUCKETS); }

static bool is_same(const struct kept *kept, uint64_t hash, const struct event *event) {
  return kept->hash == hash && kept->event.length == event->length &&
         memcmp((const char *)&kept->event + COMPARED, (const char *)event + COMPARED, event->length - COMPARED) == 0;
}

void repeats_open(repeats_tell tell) {
  repeats.tell = tell;
  TAILQ_INIT(&repeats.by_age);
  for (unsigned bucket = 0; bucket < BUCKETS; bucket++) TAILQ_INIT(&repeats.by_process[bucket]);
  if (getrandom(&repeats.seed, sizeof repeats.seed, GRND_NONBLOCK) < 0) repeats.seed = (uint64_t)now_ms();
}

bool repeats_is_empty(void) { return TAILQ_EMPTY(&repeats.by_age); }

static void end(struct kept *kept) {
  if (kept->repeats) repeats.tell(&kept->event, kept->repeats);
  LIST_REMOVE(kept, same_hash);
  TAILQ_REMOVE(&repeats.by_process[process_bucket(&kept->event)], kept, same_process);
  TAILQ_REMOVE(&repeats.by_age, kept, older);
  repeats.count--;
  repeats.of_cookie[kept->event.cookie % COOKIES]--;
  repeats.bytes -= kept->event.length;
  free(kept);
}

static void end_of_process(const struct event *event) {
  struct kept *kept = TAILQ_FIRST(&repeats.by_process[process_bucket(event)]), *next;
  for (; kept; kept = next) {
    next = TAILQ_NEXT(kept, same_process);
    if (kept->event.pid == event->pid && kept->event.start == event->start) end(kept);
  }
}

static void keep(const struct event *event, uint64_t hash) {
  if (repeats.of_cookie[event->cookie % COOKIES] >= MOST_OF_COOKIE || repeats.count >= MOST_KEPT || repeats.bytes + event->length > MOST_BYTES) return;
  size_t length = event->length < sizeof *event ? sizeof *event : event->length;
  struct kept *kept = malloc(offsetof(struct kept, event) + length);
  if (!kept) return; /* then its repeats are told one by one */
  kept->until = now_ms() + WINDOW_MS;
  kept->hash = hash;
  kept->repeats = 0;
  memcpy(&kept->event, event, event->length);
  LIST_INSERT_HEAD(&repeats.by_hash[hash % BUCKETS], kept, same_hash);
  TAILQ_INSERT_TAIL(&repeats.by_process[process_bucket(event)], kept, same_process);
  TAILQ_INSERT_TAIL(&repeats.by_age, kept, older);
  repeats.count++;
  repeats.of_cookie[event->cookie % COOKIES]++;
  repeats.bytes += event->length;
}

void repeats_take(const struct event *event) {
  if (event->type == EVENT_exec || event->type == EVENT_exit) end_of_process(event);
  if (event->type == EVENT_exec || event->type == EVENT_exit || event->type == EVENT_fork) {
    repeats.tell(event, 1);
    return;
  }
  uint64_t hash = hash_of(event);
  struct kept *kept;
  LIST_FOREACH(kept, &repeats.by_hash[hash % BUCKETS], same_hash) {
    if (!is_same(kept, hash, event)) continue;
    if (kept->repeats++ == 0) {
      kept->event.boot = event->boot;
      kept->event.tid = event->tid;
    }
    return;
  }
  repeats.tell(event, 1);
  keep(event, hash);
}

void repeats_expire(int64_t now) {
  struct kept *oldest;
  while ((oldest = TAILQ_FIRST(&repeats.by_age)) && oldest->until <= now) end(oldest);
}

void repeats_flush(void) {
  struct kept *oldest;
  while ((oldest = TAILQ_FIRST(&repeats.by_age))) end(oldest);
}
