#include "output.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define RETRY_MS 50
#define GIVE_UP_MS 30000
/* All writers die with the first process; only a descriptor that was sent out of the container could keep a pipe open. */
#define LAST_OUTPUT_MS 1000

static void pump(struct output *output);

void output_init(struct output *output, struct loop *loop) {
  output->loop = loop;
  output->log.fd = -1;
  output->stream[0].log.name = "stdout";
  output->stream[1].log.name = "stderr";
  for (int i = 0; i < 2; i++) {
    output->stream[i].watch.fd = -1;
    output->stream[i].output = output;
  }
}

static void on_retry(struct timer *timer) { pump(OWNER(timer, struct output, retry)); }

static void stall(struct output *output) {
  output->stalled = true;
  for (int i = 0; i < 2; i++) loop_pause(output->loop, &output->stream[i].watch);
  loop_set_timer(output->loop, &output->retry, RETRY_MS, on_retry);
}

/* Whether the buffer is empty now. Otherwise the output is stalled. */
static bool flush(struct output *output) {
  if (log_write(&output->log) == 0) {
    output->last_success = monotonic_ms();
    return true;
  }
  if (output->expected_to_end && monotonic_ms() - output->last_success >= GIVE_UP_MS) {
    log_give_up(&output->log);
    return true;
  }
  stall(output);
  return false;
}

static void check_done(struct output *output) {
  if (output->stalled || !output->done || output->stream[0].watch.fd >= 0 || output->stream[1].watch.fd >= 0) return;
  void (*done)(struct output *) = output->done;
  output->done = NULL;
  loop_clear_timer(output->loop, &output->patience);
  done(output);
}

/* Everything in the chunk goes into the log; one write per chunk, more when it is mostly newlines. */
static void pump(struct output *output) {
  bool was_stalled = output->stalled;
  if (was_stalled && !flush(output)) return;
  while (output->from < output->to) {
    output->from += log_take(&output->log, &output->source->log, output->chunk + output->from, output->to - output->from);
    if (!flush(output)) return;
  }
  if (!was_stalled) return;
  output->stalled = false;
  for (int i = 0; i < 2; i++) loop_change(output->loop, &output->stream[i].watch, EPOLLIN);
  check_done(output);
}

static void end_stream(struct output *output, struct output_stream *stream) {
  loop_close(output->loop, &stream->watch);
  log_end_stream(&output->log, &stream->log);
  if (flush(output)) check_done(output);
}

/* Reads once. False when there is nothing more for now, or at all. */
static bool read_stream(struct output *output, struct output_stream *stream) {
  ssize_t got = read(stream->watch.fd, output->chunk, sizeof output->chunk);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got <= 0) { /* a terminal's end is EIO */
    end_stream(output, stream);
    return false;
  }
  output->source = stream;
  output->from = 0;
  output->to = (size_t)got;
  pump(output);
  return !output->stalled;
}

static void on_ready(struct watch *watch, uint32_t events) {
  (void)events;
  struct output_stream *stream = OWNER(watch, struct output_stream, watch);
  read_stream(stream->output, stream);
}

int output_begin(struct output *output, int standard, int errors, struct failure *failure) {
  if (loop_watch(output->loop, &output->stream[0].watch, standard, EPOLLIN, on_ready, failure) < 0) {
    if (errors >= 0) close(errors);
    return -1;
  }
  if (errors < 0) return 0;
  return loop_watch(output->loop, &output->stream[1].watch, errors, EPOLLIN, on_ready, failure);
}

static void on_patience(struct timer *timer) {
  struct output *output = OWNER(timer, struct output, patience);
  if (output->stalled) {
    loop_set_timer(output->loop, timer, LAST_OUTPUT_MS, on_patience);
    return;
  }
  for (int i = 0; i < 2; i++) {
    struct output_stream *stream = &output->stream[i];
    /* At most what a pipe holds: a writer outside of the container must not keep it from ending. */
    for (int reads = 0; reads < 64 && stream->watch.fd >= 0 && read_stream(output, stream); reads++) continue;
    if (output->stalled) {
      loop_set_timer(output->loop, timer, LAST_OUTPUT_MS, on_patience);
      return;
    }
    if (stream->watch.fd >= 0) end_stream(output, stream);
  }
}

void output_finish(struct output *output, void (*done)(struct output *output)) {
  output->done = done;
  output->expected_to_end = true;
  output->last_success = monotonic_ms(); /* the 30 s begin now at the earliest */
  loop_set_timer(output->loop, &output->patience, LAST_OUTPUT_MS, on_patience);
  check_done(output);
}
