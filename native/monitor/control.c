#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "life.h"
#include "monitor.h"
#include "operations.h"

#define SOCKET "monitor.sock"

static void free_connection(struct connection *connection) {
  struct control *control = &connection->monitor->control;
  for (struct connection **at = &control->connections; *at; at = &(*at)->next) {
    if (*at != connection) continue;
    *at = connection->next;
    break;
  }
  for (int i = 0; i < REPLIES; i++) {
    if (control->reply[i].connection == connection) control->reply[i].connection = NULL;
  }
  control->count--;
  if (connection->payload) explicit_bzero(connection->payload, connection->size);
  free(connection->payload);
  free(connection);
}

static void close_connection(struct connection *connection) {
  struct monitor *monitor = connection->monitor;
  bool was_bound = monitor->control.bound == connection;
  loop_close(&monitor->loop, &connection->watch);
  free_connection(connection);
  if (!was_bound) return;
  monitor->control.bound = NULL;
  life_unbound(monitor);
}

int control_detach(struct connection *connection) {
  struct monitor *monitor = connection->monitor;
  int fd = connection->watch.fd;
  loop_pause(&monitor->loop, &connection->watch);
  if (monitor->control.bound == connection) monitor->control.bound = NULL;
  free_connection(connection);
  return fd;
}

/* A peer that does not take its replies is as good as gone: the end comes as an event of its own, not under the feet of the caller. */
static void check_sent(struct connection *connection, int result) {
  if (result < 0) shutdown(connection->watch.fd, SHUT_RDWR);
}

void control_send(struct connection *connection, const char *const fields[], size_t count) {
  check_sent(connection, wire_send(connection->watch.fd, fields, count));
}

void control_defer(struct control *control, int which, struct connection *connection, const char *tag, bool pause) {
  struct reply *reply = &control->reply[which];
  reply->connection = connection;
  memcpy(reply->tag, tag, strlen(tag) + 1);
  connection->paused = pause;
  if (pause) loop_change(&connection->monitor->loop, &connection->watch, EPOLLRDHUP);
}

void control_answer(struct control *control, int which, const char *result, const struct failure *failure) {
  struct reply *reply = &control->reply[which];
  struct connection *connection = reply->connection;
  if (!connection) return;
  reply->connection = NULL;
  int fd = connection->watch.fd;
  check_sent(connection, failure ? wire_error(fd, reply->tag, failure) : wire_ok(fd, reply->tag, result, NULL));
  if (!connection->paused) return;
  connection->paused = false;
  loop_change(&connection->monitor->loop, &connection->watch, EPOLLIN);
}

/* 1: a whole payload is there; 0: not yet; -1: the connection has ended or sends what it must not. */
static int receive(struct connection *connection) {
  for (;;) {
    bool in_header = !connection->payload;
    char *to = in_header ? (char *)connection->header : connection->payload;
    size_t want = in_header ? sizeof connection->header : connection->size;
    if (connection->got < want) {
      ssize_t got = recv(connection->watch.fd, to + connection->got, want - connection->got, MSG_DONTWAIT);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return 0;
      if (got <= 0) return -1;
      connection->got += (size_t)got;
      continue;
    }
    if (!in_header) return 1;
    connection->size = wire_get_u32(connection->header);
    connection->got = 0;
    if (connection->size == 0 || connection->size > WIRE_PAYLOAD_MAX) return -1;
    connection->payload = malloc(connection->size);
    if (!connection->payload) return -1;
  }
}

/* Whether the connection is still one and may go on. */
static bool handle(struct connection *connection) {
  struct wire_request request;
  struct failure failure = {0};
  struct monitor *monitor = connection->monitor;
  char *payload = connection->payload;
  connection->payload = NULL;
  connection->got = 0;
  if (wire_parse(&request, payload, connection->size) < 0 || strlen(request.field[0]) >= TAG_SIZE) {
    wire_free(&request);
    close_connection(connection);
    return false;
  }
  enum outcome outcome = operations_run(monitor, connection, &request, &failure);
  if (outcome == OUTCOME_FAILED) check_sent(connection, wire_error(connection->watch.fd, request.field[0], &failure));
  if (outcome == OUTCOME_DONE) check_sent(connection, wire_ok(connection->watch.fd, request.field[0], NULL));
  wire_free(&request);
  return outcome != OUTCOME_GONE && !connection->paused && !monitor->over;
}

static void on_connection(struct watch *watch, uint32_t events) {
  struct connection *connection = OWNER(watch, struct connection, watch);
  (void)events;
  /* Paused, only the peer's end is looked for. Otherwise what it sent before its end still counts. */
  int got = connection->paused ? -1 : receive(connection);
  while (got > 0) {
    if (!handle(connection)) return;
    got = receive(connection);
  }
  if (got < 0) close_connection(connection);
}

static void on_listener(struct watch *watch, uint32_t events) {
  struct monitor *monitor = OWNER(OWNER(watch, struct control, listener), struct monitor, control);
  struct failure ignored;
  (void)events;
  int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  struct connection *connection = monitor->control.count < CONNECTIONS_MAX ? calloc(1, sizeof *connection) : NULL;
  if (!connection || loop_watch(&monitor->loop, &connection->watch, fd, EPOLLIN, on_connection, &ignored) < 0) {
    if (!connection) close(fd);
    free(connection);
    return;
  }
  connection->monitor = monitor;
  connection->next = monitor->control.connections;
  monitor->control.connections = connection;
  monitor->control.count++;
}

int control_open(struct monitor *monitor, struct failure *failure) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOCKET};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fail(failure, "make a socket");
  unlink(SOCKET);
  mode_t old = umask(0177);
  int result = bind(fd, (struct sockaddr *)&address, sizeof address);
  umask(old);
  if (result < 0 || listen(fd, CONNECTIONS_MAX) < 0) {
    fail(failure, "listen on " SOCKET);
    close(fd);
    return -1;
  }
  return loop_watch(&monitor->loop, &monitor->control.listener, fd, EPOLLIN, on_listener, failure);
}
