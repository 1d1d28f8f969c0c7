/*
 * The monitor's socket and its connections: frames in, replies and events out. Which operations there are is in operations.h; a connection that
 * becomes a session leaves this module.
 */
#pragma once

#include "loop.h"
#include "wire/wire.h"

struct monitor;

#define TAG_SIZE 21
#define CONNECTIONS_MAX 64

struct connection {
  struct watch watch;
  struct monitor *monitor;
  struct connection *next;
  unsigned char header[WIRE_HEADER_SIZE];
  size_t got; /* of the header, then of the payload */
  char *payload;
  uint32_t size;
  bool watching; /* gets the events */
  bool paused;   /* an operation of its is under way: the next ones wait in the socket */
};

/* An operation that is answered later. */
struct reply {
  struct connection *connection; /* NULL: nobody waits any more */
  char tag[TAG_SIZE];
};

enum { REPLY_JOIN, REPLY_CONTAINER, REPLY_QUIT, REPLIES };

struct control {
  struct watch listener;
  struct connection *connections;
  struct connection *bound; /* its end is the end, until `start` */
  struct reply reply[REPLIES];
  unsigned count;
};

/* Listens on FOLDER/monitor.sock. */
int control_open(struct monitor *monitor, struct failure *failure);

/* What a handler of an operation returns. */
enum outcome { OUTCOME_FAILED = -1, OUTCOME_DONE, OUTCOME_ANSWERED, OUTCOME_LATER, OUTCOME_GONE };

/* A reply or an event (`0 EVENT ARG...`) to one connection. */
void control_send(struct connection *connection, const char *const fields[], size_t count);
/* Remembers that the operation is answered later. `pause`: what the connection asks next waits until then. */
void control_defer(struct control *control, int which, struct connection *connection, const char *tag, bool pause);
/* Answers it, if somebody still waits: with `ok` and the result (may be NULL), or with the failure when there is one. */
void control_answer(struct control *control, int which, const char *result, const struct failure *failure);
/* The connection is no longer one; its descriptor is the caller's. */
int control_detach(struct connection *connection);
