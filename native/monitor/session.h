/* Connections that carry a process's stdin, stdout, stderr, window size and signals: native/PROTOCOL.md, "Sessions". */
#pragma once

#include "control.h"

struct exec_request {
  const char *process; /* file */
  bool tty;
  uint16_t rows, columns;
};

/* Turns the connection into the session of a new command, after answering the request. -1: it has stayed a connection. */
int session_exec(struct connection *connection, const char *tag, const struct exec_request *request, struct failure *failure);
/* ... of the first process: input only. */
int session_attach(struct connection *connection, const char *tag, struct failure *failure);
/* The first process has ended, with all its output in the log: attached sessions get its exit code. */
void sessions_container_ended(struct monitor *monitor);
/* Whether some session still has something to deliver. */
bool sessions_are_busy(const struct monitor *monitor);
