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

enum { MOST_LINE = 8192, INPUT_ROOM = 64 << 10, MOST_WORDS = 8, PATIENCE_MS = 2000 };

static struct {
  struct watch watch;
  struct probes probes;
  char input[INPUT_ROOM];
  size_t used;
  bool ended;
  int64_t ended_at;
} commands;

struct words {
  char *at[MOST_WORDS];
  int count;
  uint64_t tag; /* 0 when it is none */
};

/* What a command gives that is answered by itself, when all that came before it is told. Otherwise 0 or an errno. */
enum { LATER = -1 };

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

/* COOKIE FLAGS [ROOT [PID]] from word `from` on. */
struct registered {
  uint64_t cookie, flags, pid;
  char *root;
};

static bool read_registered(const struct words *words, int from, struct registered *registered) {
  if (words->count < from + 2 || words->count > from + 4) return false;
  registered->root = words->count > from + 2 ? words->at[from + 2] : NULL;
  registered->pid = 0;
  if (words->count > from + 3 && (!number(words->at[from + 3], INT32_MAX, &registered->pid) || registered->pid == 0)) return false;
  if (registered->root && !decode_path(registered->root)) return false;
  return number(words->at[from], FIRST_STRANGER - 1, &registered->cookie) && registered->cookie > 0 &&
         number(words->at[from + 1], EVERY_FLAG, &registered->flags);
}

static int run_namespace(struct words *words) {
  uint64_t inode;
  struct registered registered;
  if (!number(words->at[2], UINT32_MAX, &inode) || !read_registered(words, 3, &registered)) return EINVAL;
  return instance_add_namespace((uint32_t)inode, registered.cookie, (uint32_t)registered.flags, registered.root, (int)registered.pid);
}

static int run_process(struct words *words) {
  uint64_t pid, start;
  struct registered registered;
  if (!number(words->at[2], INT32_MAX, &pid) || !number(words->at[3], UINT64_MAX, &start) || !read_registered(words, 4, &registered) || registered.pid) return EINVAL;
  __atomic_store_n(commands.probes.has_members, 1, __ATOMIC_SEQ_CST);
  return instance_add_process((int)pid, start, registered.cookie, (uint32_t)registered.flags, registered.root);
}

static struct json ack_begin(uint64_t tag) {
  struct json json = json_begin(output_memory(), LINE_ROOM);
  json_string(&json, "type", "ack");
  json_unsigned(&json, "tag", tag);
  return json;
}

/* `failed`: 0 or an errno. */
static size_t ack_end(struct json *json, int failed) {
  json_unsigned(json, "errno", (uint64_t)failed);
  if (failed) json_string(json, "message", strerror(failed));
  return json_end(json);
}

/* What is told before is a part of the answer: behind it, also where the reader is slow. */
static void answer_unregister(uint64_t tag, uint64_t cookie) {
  struct json json = ack_begin(tag);
  int failed = instance_remove(cookie, &json);
  output_line(json.begin, ack_end(&json, failed));
}

static void answer_counts(uint64_t tag, uint64_t cookie) {
  struct json json = ack_begin(tag);
  int failed = instance_counts(cookie, &json);
  output_line(json.begin, ack_end(&json, failed));
}

static void answer_sync(uint64_t tag, uint64_t cookie) {
  (void)cookie;
  struct json json = ack_begin(tag);
  output_line(json.begin, ack_end(&json, 0));
}

static int later(events_then then, uint64_t tag, uint64_t cookie) { return events_after(then, tag, cookie) ? LATER : ENOMEM; }

static int run_unregister(struct words *words) {
  uint64_t cookie;
  if (words->count != 3 || !number(words->at[2], INT64_MAX, &cookie)) return EINVAL;
  int failed = instance_hide(cookie);
  return failed ? failed : later(answer_unregister, words->tag, cookie);
}

static int run_flags(struct words *words) {
  uint64_t cookie, flags;
  if (words->count != 4 || !number(words->at[2], INT64_MAX, &cookie) || !number(words->at[3], EVERY_FLAG, &flags)) return EINVAL;
  return instance_set_flags(cookie, (uint32_t)flags);
}

static int run_counts(struct words *words) {
  uint64_t cookie;
  if (words->count != 3 || !number(words->at[2], INT64_MAX, &cookie)) return EINVAL;
  return later(answer_counts, words->tag, cookie);
}

static int run_sync(struct words *words) { return words->count != 2 ? EINVAL : later(answer_sync, words->tag, 0); }

static int change_pattern(struct words *words, int (*change)(uint32_t, const char *)) {
  if (words->count != 4 || !decode_path(words->at[3])) return EINVAL;
  if (strcmp(words->at[2], "sensitive") == 0) return change(SENSITIVE, words->at[3]);
  if (strcmp(words->at[2], "write") == 0) return change(WRITE_WATCHED, words->at[3]);
  return EINVAL;
}

static int run_path(struct words *words) {
  return change_pattern(words, pattern_add);
}

static int run_unpath(struct words *words) {
  return change_pattern(words, pattern_remove);
}

static int run_watch(struct words *words) {
  uint64_t level, flags;
  if (words->count != 4 || !number(words->at[2], 32, &level) || !number(words->at[3], EVERY_FLAG, &flags)) return EINVAL;
  __atomic_store_n(commands.probes.watch_flags, (__u32)flags, __ATOMIC_SEQ_CST);
  __atomic_store_n(commands.probes.watch_level, (__u32)level, __ATOMIC_SEQ_CST);
  return 0;
}

static const struct {
  const char *name;
  int (*run)(struct words *words);
} table[] = {
    {"namespace", run_namespace}, {"process", run_process}, {"unregister", run_unregister}, {"flags", run_flags},
    {"counts", run_counts},        {"sync", run_sync},        {"path", run_path},            {"unpath", run_unpath},
    {"watch", run_watch},
};

static void run(char *line) {
  struct words words = {0};
  for (char *rest = line, *word; words.count < MOST_WORDS && (word = strsep(&rest, " "));) words.at[words.count++] = word;
  int failed = number(words.at[0], INT64_MAX, &words.tag) ? ENOSYS : EINVAL;
  for (size_t index = 0; failed == ENOSYS && words.count > 1 && index < sizeof table / sizeof *table; index++)
    if (strcmp(words.at[1], table[index].name) == 0) {
      failed = table[index].run(&words);
      break;
    }
  if (failed == LATER) return;
  struct json json = ack_begin(words.tag);
  output_answer(json.begin, ack_end(&json, failed));
}

static void on_input(struct watch *watch, uint32_t events) {
  (void)events;
  ssize_t bytes = read(watch->fd, commands.input + commands.used, sizeof commands.input - commands.used);
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (bytes > 0)
    commands.used += (size_t)bytes;
  else if (!commands.ended) {
    commands.ended = true;
    commands.ended_at = now_ms();
  }
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
  for (;;) {
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

bool commands_have_ended(void) {
  if (!commands.ended || memchr(commands.input, '\n', commands.used)) return false;
  return events_are_settled() || now_ms() - commands.ended_at > PATIENCE_MS;
}
