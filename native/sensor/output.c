#include "output.h"

#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CHUNK = 256 << 10, SOCKET_BUFFER = 1 << 20, PATIENCE_MS = 2000 };
_Static_assert((int)LINE_ROOM <= (int)CHUNK, "a line fits into a chunk");

struct chunk {
  struct chunk *next;
  size_t begin, end;
  char bytes[CHUNK];
};

struct lines {
  struct chunk *first, *last;
  bool in_line; /* the last byte that was written is not the last of a line */
};

static struct {
  struct watch watch;
  struct lines answers, events;
  struct chunk *spare; /* the one that was free last, so that a steady flow does not allocate */
  size_t kept, limit;  /* kept: of both, in bytes */
  bool waiting;
  char line[LINE_ROOM];
} output;

static void on_writable(struct watch *watch, uint32_t events) {
  (void)watch;
  (void)events;
  output_flush();
}

void output_set_limit(size_t limit) { output.limit = limit; }

void output_open(void) {
  output.watch = (struct watch){.fd = STDOUT_FILENO, .ready = on_writable};
  int flags = fcntl(STDOUT_FILENO, F_GETFL), size = SOCKET_BUFFER;
  if (flags < 0 || fcntl(STDOUT_FILENO, F_SETFL, flags | O_NONBLOCK) < 0) {
    fprintf(stderr, "dayfly-sensor: there is no reader on stdout: %s\n", strerror(errno));
    exit(1);
  }
  /* One of the two, as it is a socket or a pipe. */
  if (setsockopt(STDOUT_FILENO, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) < 0) fcntl(STDOUT_FILENO, F_SETPIPE_SZ, size);
  /* A file is always ready, and cannot be waited for. */
  loop_add(&output.watch, 0);
}

char *output_memory(void) { return output.line; }

static struct chunk *chunk_new(void) {
  struct chunk *chunk = output.spare ? output.spare : malloc(sizeof *chunk);
  if (!chunk) {
    fprintf(stderr, "dayfly-sensor: no memory for what the reader does not take\n");
    exit(1);
  }
  output.spare = NULL;
  chunk->next = NULL;
  chunk->begin = chunk->end = 0;
  return chunk;
}

static void add(struct lines *lines, const char *line, size_t length) {
  if (length == 0 || length > CHUNK) return;
  if (!lines->last || CHUNK - lines->last->end < length) {
    struct chunk *chunk = chunk_new();
    if (lines->last)
      lines->last->next = chunk;
    else
      lines->first = chunk;
    lines->last = chunk;
  }
  memcpy(lines->last->bytes + lines->last->end, line, length);
  lines->last->end += length;
  output.kept += length;
}

void output_line(const char *line, size_t length) { add(&output.events, line, length); }
void output_answer(const char *line, size_t length) { add(&output.answers, line, length); }

bool output_is_full(void) { return output.kept > output.limit; }
bool output_is_empty(void) { return output.kept == 0; }

static void chunk_done(struct lines *lines) {
  struct chunk *chunk = lines->first;
  lines->first = chunk->next;
  if (!lines->first) lines->last = NULL;
  if (output.spare)
    free(chunk);
  else
    output.spare = chunk;
}

/* Whose turn it is, and how much of its first chunk: answers, unless a line is half written. Then only the rest of that line. A line is in one chunk. */
static struct lines *next_lines(size_t *length) {
  struct lines *lines = output.answers.first && !output.events.in_line ? &output.answers : &output.events;
  struct chunk *chunk = lines->first;
  if (!chunk) return NULL;
  const char *begin = chunk->bytes + chunk->begin;
  *length = chunk->end - chunk->begin;
  if (lines == &output.events && output.answers.first) {
    const char *end = memchr(begin, '\n', *length);
    if (end) *length = (size_t)(end + 1 - begin);
  }
  return lines;
}

void output_flush(void) {
  struct lines *lines;
  size_t length;
  while ((lines = next_lines(&length))) {
    struct chunk *chunk = lines->first;
    ssize_t written = write(STDOUT_FILENO, chunk->bytes + chunk->begin, length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) break;
    if (written < 0) exit(0); /* nobody reads any more */
    chunk->begin += (size_t)written;
    output.kept -= (size_t)written;
    if (written > 0) lines->in_line = chunk->bytes[chunk->begin - 1] != '\n';
    if (chunk->begin == chunk->end) chunk_done(lines);
  }
  bool waiting = lines != NULL;
  if (waiting != output.waiting) loop_change(&output.watch, waiting ? EPOLLOUT : 0);
  output.waiting = waiting;
}

void output_finish(void) {
  int64_t deadline = now_ms() + PATIENCE_MS;
  output_flush();
  while (!output_is_empty() && now_ms() < deadline) {
    struct pollfd reader = {.fd = STDOUT_FILENO, .events = POLLOUT};
    poll(&reader, 1, 100);
    output_flush();
  }
}
