#include "commands.h"

#include "events.h"
#include "instances.h"
#include "json.h"
#include "loop.h"
#include "output.h"
#include "patterns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { MOST_LINE = 8192, INPUT_ROOM = 64 << 10, MOST_WORDS = 8 };

static struct {
  struct watch watch;
  struct probes probes;
  char input[INPUT_ROOM];
  size_t used;
  bool ended;
} commands;

struct words {
  char *at[MOST_WORDS];
  int count;
};

/* The whole word as a decimal number. */
static bool number(const char *word, uint64_t most, uint64_t *value) {
  if (!word || *word < '0' || *word > '9') return false;
  char *end;
  errno = 0;
  *value = strtoull(word, &end, 10);
  return errno == 0 && *end == '\0' && *value <= most;
}

static int hexadecimal(char digit) { return digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1; }

/* %XX to bytes, in place. */
static bool decode_path(char *word) {
  char *to = word;
  if (*word != '/') return false;
  for (const char *from = word; *from; from++) {
    if (*from != '%') {
      *to++ = *from;
      continue;
    }
    int high = hexadecimal(from[1]), low = high < 0 ? -1 : hexadecimal(from[2]);
    if (low < 0 || (high == 0 && low == 0)) return false;
    *to++ = (char)(high << 4 | low);
    from += 2;
  }
  *to = '\0';
  return true;
}

/* COOKIE FLAGS [ROOT] from word `from` on. */
struct registered {
  uint64_t cookie, flags;
  char *root;
};

static bool read_registered(const struct words *words, int from, struct registered *registered) {
  if (words->count != from + 2 && words->count != from + 3) return false;
  registered->root = words->count == from + 3 ? words->at[from + 2] : NULL;
  if (registered->root && !decode_path(registered->root)) return false;
  return number(words->at[from], FIRST_STRANGER - 1, &registered->cookie) && registered->cookie > 0 &&
         number(words->at[from + 1], EVERY_FLAG, &registered->flags);
}

static int run_namespace(struct words *words, struct json *json) {
  (void)json;
  uint64_t inode;
  struct registered registered;
  if (!number(words->at[2], UINT32_MAX, &inode) || !read_registered(words, 3, &registered)) return EINVAL;
  return instance_add_namespace((uint32_t)inode, registered.cookie, (uint32_t)registered.flags, registered.root);
}

static int run_process(struct words *words, struct json *json) {
  (void)json;
  uint64_t pid, start;
  struct registered registered;
  if (!number(words->at[2], INT32_MAX, &pid) || !number(words->at[3], UINT64_MAX, &start) || !read_registered(words, 4, &registered)) return EINVAL;
  __atomic_store_n(commands.probes.has_members, 1, __ATOMIC_SEQ_CST);
  return instance_add_process((int)pid, start, registered.cookie, (uint32_t)registered.flags, registered.root);
}

static int run_unregister(struct words *words, struct json *json) {
  uint64_t cookie;
  if (words->count != 3 || !number(words->at[2], INT64_MAX, &cookie)) return EINVAL;
  int failed = instance_hide(cookie);
  if (failed) return failed;
  events_drain();
  return instance_remove(cookie, json);
}

static int run_flags(struct words *words, struct json *json) {
  (void)json;
  uint64_t cookie, flags;
  if (words->count != 4 || !number(words->at[2], INT64_MAX, &cookie) || !number(words->at[3], EVERY_FLAG, &flags)) return EINVAL;
  return instance_set_flags(cookie, (uint32_t)flags);
}

static int run_counts(struct words *words, struct json *json) {
  uint64_t cookie;
  if (words->count != 3 || !number(words->at[2], INT64_MAX, &cookie)) return EINVAL;
  events_drain();
  return instance_counts(cookie, json);
}

static int run_sync(struct words *words, struct json *json) {
  (void)json;
  if (words->count != 2) return EINVAL;
  events_drain();
  return 0;
}

static int change_pattern(struct words *words, int (*change)(uint32_t, const char *)) {
  if (words->count != 4 || !decode_path(words->at[3])) return EINVAL;
  if (strcmp(words->at[2], "sensitive") == 0) return change(SENSITIVE, words->at[3]);
  if (strcmp(words->at[2], "write") == 0) return change(WRITE_WATCHED, words->at[3]);
  return EINVAL;
}

static int run_path(struct words *words, struct json *json) {
  (void)json;
  return change_pattern(words, pattern_add);
}

static int run_unpath(struct words *words, struct json *json) {
  (void)json;
  return change_pattern(words, pattern_remove);
}

static int run_watch(struct words *words, struct json *json) {
  (void)json;
  uint64_t level, flags;
  if (words->count != 4 || !number(words->at[2], 32, &level) || !number(words->at[3], EVERY_FLAG, &flags)) return EINVAL;
  __atomic_store_n(commands.probes.watch_flags, (__u32)flags, __ATOMIC_SEQ_CST);
  __atomic_store_n(commands.probes.watch_level, (__u32)level, __ATOMIC_SEQ_CST);
  return 0;
}

static const struct {
  const char *name;
  int (*run)(struct words *words, struct json *json);
} table[] = {
    {"namespace", run_namespace}, {"process", run_process}, {"unregister", run_unregister}, {"flags", run_flags},
    {"counts", run_counts},        {"sync", run_sync},        {"path", run_path},            {"unpath", run_unpath},
    {"watch", run_watch},
};

static void run(char *line) {
  struct words words = {0};
  for (char *rest = line, *word; words.count < MOST_WORDS && (word = strsep(&rest, " "));) words.at[words.count++] = word;
  uint64_t tag = 0;
  int failed = number(words.at[0], INT64_MAX, &tag) ? ENOSYS : EINVAL;
  /* An answer's counts are known only after what is told before it: both go through the same memory. */
  static char memory[LINE_ROOM];
  struct json json = json_begin(memory, sizeof memory);
  json_string(&json, "type", "ack");
  json_unsigned(&json, "tag", tag);
  for (size_t index = 0; failed == ENOSYS && words.count > 1 && index < sizeof table / sizeof *table; index++)
    if (strcmp(words.at[1], table[index].name) == 0) {
      failed = table[index].run(&words, &json);
      break;
    }
  json_unsigned(&json, "errno", (uint64_t)failed);
  if (failed) json_string(&json, "message", strerror(failed));
  output_line(json.begin, json_end(&json));
}

static void on_input(struct watch *watch, uint32_t events) {
  (void)events;
  ssize_t bytes = read(watch->fd, commands.input + commands.used, sizeof commands.input - commands.used);
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (bytes > 0)
    commands.used += (size_t)bytes;
  else
    commands.ended = true;
  if (commands.ended || commands.used == sizeof commands.input) loop_change(watch, 0);
}

void commands_open(const struct probes *probes) {
  commands.probes = *probes;
  commands.watch = (struct watch){.fd = STDIN_FILENO, .ready = on_input};
  int flags = fcntl(STDIN_FILENO, F_GETFL);
  if (flags < 0 || fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) < 0 || !loop_add(&commands.watch, EPOLLIN)) {
    fprintf(stderr, "dayfly-sensor: wait for commands: %s\n", strerror(errno));
    exit(1);
  }
}

void commands_run(void) {
  size_t done = 0;
  while (!output_is_full()) {
    char *line = commands.input + done, *end = memchr(line, '\n', commands.used - done);
    if (!end) break;
    *end = '\0';
    done = (size_t)(end - commands.input) + 1;
    run(line);
  }
  if (done) {
    bool was_full = commands.used == sizeof commands.input;
    commands.used -= done;
    memmove(commands.input, commands.input + done, commands.used);
    if (was_full && !commands.ended) loop_change(&commands.watch, EPOLLIN);
  }
  const char *end = memchr(commands.input, '\n', commands.used);
  if ((end ? (size_t)(end - commands.input) : commands.used) <= MOST_LINE) return;
  fprintf(stderr, "dayfly-sensor: a command of more than %d bytes\n", MOST_LINE);
  exit(1);
}

bool commands_have_ended(void) { return commands.ended && !memchr(commands.input, '\n', commands.used); }
