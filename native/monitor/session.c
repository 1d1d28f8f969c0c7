#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "monitor.h"
#include "session_state.h"

/* Registered, with nothing but the peer's end to be told of. */
#define EVENTS_NONE EPOLLPRI

enum { KIND_STDIN, KIND_STDOUT, KIND_STDERR, KIND_RESIZE, KIND_SIGNAL, KIND_EXIT, KIND_FAILURE };

static void flow(struct session *session);

/* --- out: one frame at a time, and nothing is read while it waits for its reader --- */

static bool out_is_empty(const struct session *session) { return session->out_from == session->out_to; }

static void flush_out(struct session *session) {
  while (session->socket.fd >= 0 && !out_is_empty(session)) {
    ssize_t sent = send(session->socket.fd, session->out + session->out_from, session->out_to - session->out_from, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) {
      session_hang_up(session);
      return;
    }
    session->out_from += (size_t)sent;
  }
  session->out_from = session->out_to = 0;
}

/* The payload is in out[5...] already. */
static void send_frame(struct session *session, unsigned char kind, size_t size) {
  wire_put_u32(session->out, (uint32_t)size + 1);
  session->out[4] = kind;
  session->out_from = 0;
  session->out_to = SESSION_HEADER + size;
  flush_out(session);
}

static void close_output(struct session *session, struct session_output *output) { loop_close(&session->monitor->loop, &output->watch); }

/* False when there is nothing to read now. */
static bool read_output(struct session *session, struct session_output *output) {
  ssize_t got = read(output->watch.fd, session->out + SESSION_HEADER, SESSION_CHUNK);
  if (got < 0 && errno == EINTR) return true;
  if (got < 0 && errno == EAGAIN && !session->lingered) return false;
  if (got <= 0) { /* a terminal's end is EIO */
    close_output(session, output);
    return false;
  }
  if (session->lingered && (session->late += (size_t)got) > SESSION_LATE_MAX) close_output(session, output);
  if (session->socket.fd < 0) return true; /* nobody listens: read on, so that the command does not block */
  send_frame(session, output == &session->output[0] ? KIND_STDOUT : KIND_STDERR, (size_t)got);
  return out_is_empty(session);
}

static void on_output(struct watch *watch, uint32_t events) {
  struct session_output *output = OWNER(watch, struct session_output, watch);
  (void)events;
  read_output(output->session, output);
  flow(output->session);
}

/* The command has ended and so have its pipes, or a second passed in which only its descendants kept them open. */
static void finish_when_done(struct session *session) {
  if (!session->ended || session->output[0].watch.fd >= 0 || session->output[1].watch.fd >= 0 || !out_is_empty(session)) return;
  if (session->socket.fd >= 0 && !session->told) {
    session->told = true;
    size_t size = 1;
    if (session->failure.error) {
      size = strlen(session->failure.message);
      memcpy(session->out + SESSION_HEADER, session->failure.message, size);
    } else {
      session->out[SESSION_HEADER] = (unsigned char)session->code;
    }
    send_frame(session, session->failure.error ? KIND_FAILURE : KIND_EXIT, size);
    if (!out_is_empty(session)) return;
  }
  session_free(session);
}

static void on_lingered(struct timer *timer) {
  struct session *session = OWNER(timer, struct session, timer);
  session->lingered = true;
  flow(session);
}

void session_ended(struct session *session, int code, const struct failure *failure) {
  session->ended = true;
  session->code = code;
  if (failure) {
    session->failure = *failure;
    for (int i = 0; i < 2; i++) close_output(session, &session->output[i]);
  }
  session_close_input(session);
  loop_set_timer(&session->monitor->loop, &session->timer, SESSION_LINGER_MS, on_lingered);
  flow(session);
}

/* --- in: what the process does not take yet stays in the buffer, and nothing more is read --- */

void session_close_input(struct session *session) {
  loop_close(&session->monitor->loop, &session->input);
  session->in_from = session->in_to = 0;
}

/* The end of a terminal's input is a character. */
static void end_input(struct session *session) {
  struct termios settings;
  if (!session->tty) {
    if (session->attached) session_end_container_input(session);
    session_close_input(session);
  } else if (session->input.fd >= 0 && tcgetattr(session->input.fd, &settings) == 0 && settings.c_lflag & ICANON) {
    session->in[0] = (char)settings.c_cc[VEOF];
    session->in_to = 1;
  }
}

static void write_input(struct session *session) {
  while (session->in_from < session->in_to) {
    ssize_t wrote = session->input.fd < 0 ? -1 : write(session->input.fd, session->in + session->in_from, session->in_to - session->in_from);
    if (wrote < 0 && session->input.fd >= 0 && errno == EINTR) continue;
    if (wrote < 0 && session->input.fd >= 0 && errno == EAGAIN) return;
    if (wrote < 0) {
      session_close_input(session); /* nobody reads it: what still comes is taken and dropped */
      return;
    }
    session->in_from += (size_t)wrote;
  }
  session->in_from = session->in_to = 0;
}

static void on_input(struct watch *watch, uint32_t events) {
  struct session *session = OWNER(watch, struct session, input);
  (void)events;
  write_input(session);
  flow(session);
}

static void run_control(struct session *session) {
  const unsigned char *bytes = (const unsigned char *)session->in;
  if (session->kind == KIND_RESIZE) session_resize(session, (uint16_t)(bytes[0] | bytes[1] << 8), (uint16_t)(bytes[2] | bytes[3] << 8));
  else session_signal(session, bytes[0]);
  session->in_to = 0;
}

/* A whole header is there. False when it is not one. */
static bool begin_frame(struct session *session) {
  uint32_t length = wire_get_u32(session->header);
  session->kind = session->header[4];
  if (length < 1 || length > WIRE_PAYLOAD_MAX) return false;
  session->left = length - 1;
  if (session->kind == KIND_STDIN && session->left == 0) end_input(session);
  bool whole = session->left == 0;
  if (whole) session->header_got = 0;
  return session->kind == KIND_STDIN || (session->kind == KIND_RESIZE && session->left == 4) || (session->kind == KIND_SIGNAL && session->left == 1);
}

static ssize_t receive(struct session *session, void *to, size_t size) {
  ssize_t got;
  do got = recv(session->socket.fd, to, size, MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  return got;
}

/* One step of reading. False when there is nothing to read now or the session has hung up. */
static bool read_input(struct session *session) {
  ssize_t got;
  if (session->header_got < SESSION_HEADER) {
    got = receive(session, session->header + session->header_got, SESSION_HEADER - session->header_got);
    if (got > 0) session->header_got += (size_t)got;
    if (got > 0 && (session->header_got < SESSION_HEADER || begin_frame(session))) return true;
  } else {
    size_t room = sizeof session->in - session->in_to;
    got = receive(session, session->in + session->in_to, session->left < room ? session->left : room);
    if (got > 0) {
      session->left -= (uint32_t)got;
      session->in_to += (size_t)got;
      if (session->left == 0) session->header_got = 0;
      if (session->kind == KIND_STDIN) write_input(session);
      else if (session->left == 0) run_control(session);
      return true;
    }
  }
  if (got < 0 && errno == EAGAIN) return false;
  session_hang_up(session);
  return false;
}

static bool input_is_waiting(const struct session *session) {
  return session->in_from < session->in_to && (session->kind == KIND_STDIN || session->header_got == 0);
}

static bool can_read(const struct session *session) {
  return session->socket.fd >= 0 && !input_is_waiting(session) && !(session->tty && session->input.fd < 0 && !session->ended && session->starting);
}

static void on_socket(struct watch *watch, uint32_t events) {
  struct session *session = OWNER(watch, struct session, socket);
  /* A command is hung up on at once; what was written to the first process before a detach still reaches it. */
  if (events & (EPOLLHUP | EPOLLERR) && !session->attached) session_hang_up(session);
  if (session->socket.fd >= 0 && !out_is_empty(session)) flush_out(session);
  for (int turns = 0; turns < 16 && can_read(session) && read_input(session); turns++) continue;
  flow(session);
}

/* After anything has happened: says what is waited for next. */
static void flow(struct session *session) {
  struct loop *loop = &session->monitor->loop;
  if (session->freed) return;
  for (int i = 0; session->lingered && i < 2; i++) {
    while (session->output[i].watch.fd >= 0 && out_is_empty(session) && read_output(session, &session->output[i])) continue;
  }
  finish_when_done(session);
  if (session->freed) return;
  bool blocked = !out_is_empty(session);
  for (int i = 0; i < 2; i++) {
    /* What a runtime that fails has written there is in its log too, and is told as the failure: the command's own output begins with the command. */
    if (blocked || session->starting) loop_pause(loop, &session->output[i].watch);
    else loop_change(loop, &session->output[i].watch, EPOLLIN);
  }
  if (input_is_waiting(session)) loop_change(loop, &session->input, EPOLLOUT);
  else loop_pause(loop, &session->input);
  uint32_t wanted = (can_read(session) ? EPOLLIN : 0) | (blocked ? EPOLLOUT : 0);
  if (!wanted && session->attached) loop_pause(loop, &session->socket);
  else loop_change(loop, &session->socket, wanted ? wanted : EVENTS_NONE);
}

void session_flow(struct session *session) { flow(session); }

int session_watch_socket(struct session *session, int fd, struct failure *failure) {
  return loop_watch(&session->monitor->loop, &session->socket, fd, EPOLLIN, on_socket, failure);
}

int session_set_input(struct session *session, int fd, struct failure *failure) {
  if (loop_watch(&session->monitor->loop, &session->input, fd, EPOLLOUT, on_input, failure) < 0) return -1;
  loop_pause(&session->monitor->loop, &session->input);
  return 0;
}

int session_set_output(struct session *session, int index, int fd, struct failure *failure) {
  return loop_watch(&session->monitor->loop, &session->output[index].watch, fd, EPOLLIN, on_output, failure);
}
