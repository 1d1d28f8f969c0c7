/*
 * The log file: CRI records, appended whole. The newline that ends a line counts as one byte of payload, so kept and dropped bytes together are
 * exactly what was written.
 *
 * A full disk: the torn record is cut off again, log_append says so, and everything handed over stays in the buffer until log_retry succeeds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "wire/failure.h"

#define LOG_BUFFER_SIZE 32768
/* Longest piece that fits into the empty buffer as one record. */
#define LOG_PIECE_MAX 16384

/* One of the two streams that end up in the log. */
/* The file holds at most so many times what may be kept, and this on top: a stamp is long, and a container can print empty lines only. */
enum { LOG_GROWTH_MAX = 8, LOG_GROWTH_FREE = 1 << 20 };

struct log_stream {
  const char *name;  /* stdout, stderr */
  bool dropped_open; /* the last byte dropped was not a newline */
};

struct log {
  int fd; /* -1: not open */
  uint64_t limit, kept, dropped_bytes, dropped_lines;
  off_t size;     /* of the file, as far as whole records go */
  bool given_up;  /* everything from now on is dropped */
  size_t used;    /* of buffer: records not yet written */
  uint64_t buffered_bytes, buffered_lines;
  char buffer[LOG_BUFFER_SIZE];
};

/* Appends to `path`, which is made with mode 0600 and must be a regular file. */
int log_open(struct log *log, const char *path, uint64_t limit, struct failure *failure);

/*
 * Formats records from a piece of a stream's output, stamped with the present time. Returns how many bytes it took: less than `size` when the
 * buffer is full, and log_write is due.
 */
size_t log_take(struct log *log, struct log_stream *stream, const char *output, size_t size);

/* The stream has ended. A last line without a newline stays a P record, so that the output can be told byte for byte. */
void log_end_stream(struct log *log, struct log_stream *stream);

/* Writes the buffer. 0; or -1 with errno when the disk does not take it now: the file is as before and the buffer stays. */
int log_write(struct log *log);

/* Counts what is in the buffer, and all that comes, as dropped. */
void log_give_up(struct log *log);
