/* What a session is made of: session.c moves its bytes, exec.c starts and ends it. Internal to the two. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "loop.h"
#include "session.h"
#include "worker.h"

#define SESSION_HEADER 5
#define SESSION_CHUNK 16384
#define SESSION_LINGER_MS 1000
/* After the linger, what a pipe may still hold; more comes from a descendant that will not stop. */
#define SESSION_LATE_MAX (1024 * 1024)

struct session_output {
  struct watch watch;
  struct session *session;
};

struct session {
  struct monitor *monitor;
  struct session *next;
  struct watch socket; /* fd -1: hung up */
  struct watch input;  /* the process's stdin, or its terminal; fd -1: none, or ended */
  struct session_output output[2];
  bool attached; /* to the first process; otherwise a command of its own */
  bool tty;
  bool starting; /* the runtime is at work */
  bool ended;    /* `code` or `failure` is known */
  bool told;     /* and sent */
  bool lingered; /* long ago */
  bool hung_up, freed;
  int code;
  struct failure failure; /* error 0: none */
  size_t late;
  /* in */
  unsigned char header[SESSION_HEADER];
  unsigned char kind;
  size_t header_got;
  uint32_t left; /* of the frame's payload */
  size_t in_from, in_to;
  /* out */
  size_t out_from, out_to;
  /* the command */
  struct worker worker;
  struct child launcher, process;
  struct timer timer;
  uint64_t early_signals; /* came while starting; bit n-1 for signal n */
  uint16_t rows, columns;
  int pidfd, console;
  char log[32], pid[32], socket_name[32];

  char in[SESSION_CHUNK];
  unsigned char out[SESSION_HEADER + SESSION_CHUNK];
};

/* session.c */
void session_flow(struct session *session);
void session_ended(struct session *session, int code, const struct failure *failure);
void session_close_input(struct session *session);
int session_watch_socket(struct session *session, int fd, struct failure *failure);
int session_set_input(struct session *session, int fd, struct failure *failure);
int session_set_output(struct session *session, int index, int fd, struct failure *failure);

/* exec.c */
/* The client has gone, or is to go: SIGHUP and later SIGKILL to a command. */
void session_hang_up(struct session *session);
void session_resize(struct session *session, uint16_t rows, uint16_t columns);
void session_signal(struct session *session, int number);
void session_end_container_input(struct session *session);
/* Closes everything now; the memory goes when the loop turns. */
void session_free(struct session *session);
