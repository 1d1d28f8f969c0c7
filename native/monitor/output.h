/*
 * The output of the first process, from its pipes or terminal into the log:
 *
 *   reading ──disk full──▶ stalled ──50 ms, written──▶ reading
 *      └─────────────── every stream ended ──▶ done
 *
 * While stalled nothing is read, so the container blocks and nothing is lost. When the container has ended and 30 s passed without success,
 * the rest is counted as dropped.
 */
#pragma once

#include "log.h"
#include "loop.h"

#define OUTPUT_CHUNK LOG_PIECE_MAX

struct output;

struct output_stream {
  struct watch watch;
  struct output *output;
  struct log_stream log;
};

struct output {
  struct loop *loop;
  struct log log;
  struct output_stream stream[2];
  struct output_stream *source; /* of what is in chunk */
  size_t from, to;
  bool stalled, expected_to_end;
  int64_t last_success;
  struct timer retry, patience;
  void (*done)(struct output *output);
  char chunk[OUTPUT_CHUNK];
};

void output_init(struct output *output, struct loop *loop);
/* Begins to read these non-blocking descriptors, which it owns from now on; errors may be -1 (a terminal has one stream). */
int output_begin(struct output *output, int standard, int errors, struct failure *failure);
/* The container has ended: `done` is called, perhaps at once, when all its output is in the log or a second brought nothing more. */
void output_finish(struct output *output, void (*done)(struct output *output));
