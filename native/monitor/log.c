#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STAMP_SIZE 30  /* 2026-11-23T10:19:27.629195123Z */
#define RECORD_EXTRA 64 /* stamp, stream, tag, spaces and newline, at most */

int log_open(struct log *log, const char *path, uint64_t limit, struct failure *failure) {
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (fd < 0) return fail(failure, "open log %.300s", path);
  struct stat info;
  int result = fstat(fd, &info) < 0 ? fail(failure, "look at log %.300s", path) : 0;
  if (result == 0 && !S_ISREG(info.st_mode)) result = fail_as(failure, EINVAL, "log %.300s: not a regular file", path);
  if (result < 0) {
    close(fd);
    return -1;
  }
  log->fd = fd;
  log->limit = limit;
  log->size = info.st_size;
  return 0;
}

static void put_number(char *at, unsigned value, int digits) {
  for (int i = digits - 1; i >= 0; i--, value /= 10) at[i] = (char)('0' + value % 10);
}

/* UTC, by arithmetic: gmtime_r would read the time zone files. Days are counted in eras of 400 years that begin on a 1 March. */
static void put_stamp(char at[STAMP_SIZE]) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  unsigned long days = (unsigned long)now.tv_sec / 86400 + 719468;
  unsigned second = (unsigned)((unsigned long)now.tv_sec % 86400);
  unsigned long era = days / 146097;
  unsigned day_of_era = (unsigned)(days % 146097);
  unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  unsigned from_march = (5 * day_of_year + 2) / 153;
  unsigned month = from_march < 10 ? from_march + 3 : from_march - 9;
  memcpy(at, "0000-00-00T00:00:00.000000000Z", STAMP_SIZE);
  put_number(at, (unsigned)(era * 400) + year_of_era + (month <= 2), 4);
  put_number(at + 5, month, 2);
  put_number(at + 8, day_of_year - (153 * from_march + 2) / 5 + 1, 2);
  put_number(at + 11, second / 3600, 2);
  put_number(at + 14, second / 60 % 60, 2);
  put_number(at + 17, second % 60, 2);
  put_number(at + 20, (unsigned)now.tv_nsec, 9);
}

static void put_record(struct log *log, const char stamp[STAMP_SIZE], struct log_stream *stream, const char *piece, size_t size, bool ends) {
  char *at = log->buffer + log->used;
  size_t name = strlen(stream->name);
  at = mempcpy(at, stamp, STAMP_SIZE);
  *at++ = ' ';
  at = mempcpy(at, stream->name, name);
  *at++ = ' ';
  *at++ = ends ? 'F' : 'P';
  *at++ = ' ';
  at = mempcpy(at, piece, size);
  *at++ = '\n';
  log->used = (size_t)(at - log->buffer);
}

static void drop(struct log *log, struct log_stream *stream, const char *output, size_t size) {
  if (size == 0) return;
  log->dropped_bytes += size;
  for (const char *at = output; (at = memchr(at, '\n', size - (size_t)(at - output))); at++) log->dropped_lines++;
  stream->dropped_open = output[size - 1] != '\n';
}

size_t log_take(struct log *log, struct log_stream *stream, const char *output, size_t size) {
  char stamp[STAMP_SIZE];
  put_stamp(stamp);
  size_t taken = 0;
  while (taken < size) {
    bool full = log->given_up || (uint64_t)log->size + log->used > LOG_GROWTH_MAX * log->limit + LOG_GROWTH_FREE;
    uint64_t room = full ? 0 : log->limit - log->kept;
    if (room == 0) {
      drop(log, stream, output + taken, size - taken);
      return size;
    }
    const char *piece = output + taken;
    size_t left = size - taken;
    if (left > LOG_PIECE_MAX) left = LOG_PIECE_MAX;
    const char *newline = memchr(piece, '\n', left);
    size_t length = newline ? (size_t)(newline - piece) : left;
    bool ends = newline && length < room;
    if (length > room) length = (size_t)room;
    if (log->used + length + RECORD_EXTRA > sizeof log->buffer) return taken;
    if (length > 0 || ends) put_record(log, stamp, stream, piece, length, ends);
    taken += length + ends;
    log->kept += length + ends;
    log->buffered_bytes += length + ends;
    log->buffered_lines += ends;
  }
  return taken;
}

void log_end_stream(struct log *log, struct log_stream *stream) {
  if (stream->dropped_open) log->dropped_lines++;
  stream->dropped_open = false;
}

int log_write(struct log *log) {
  if (log->used == 0) return 0;
  ssize_t wrote;
  do wrote = write(log->fd, log->buffer, log->used);
  while (wrote < 0 && errno == EINTR);
  if (wrote == (ssize_t)log->used) {
    log->size += wrote;
    log->used = 0;
    log->buffered_bytes = log->buffered_lines = 0;
    return 0;
  }
  int error = wrote < 0 ? errno : ENOSPC;
  if (wrote > 0 && ftruncate(log->fd, log->size) < 0) error = errno;
  errno = error;
  return -1;
}

void log_give_up(struct log *log) {
  log->given_up = true;
  log->kept -= log->buffered_bytes;
  log->dropped_bytes += log->buffered_bytes;
  log->dropped_lines += log->buffered_lines;
  log->used = 0;
  log->buffered_bytes = log->buffered_lines = 0;
}
