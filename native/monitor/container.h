/* The container of an instance, by its runtime. Knows nothing of connections: it calls back. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "cgroup.h"
#include "console.h"
#include "loop.h"
#include "output.h"
#include "runtime.h"
#include "worker.h"

struct container;

/* `failure` is NULL when it went well. Called exactly once per operation, perhaps before the operation returns. */
typedef void container_done(struct container *container, const struct failure *failure);

struct container {
  struct loop *loop;
  const char *folder;
  struct cgroups cgroups;
  struct runtime runtime;
  struct worker worker;  /* joined, waiting for `create`; later the runtime */
  struct child launcher; /* the runtime while it works */
  struct child init;     /* the first process */
  struct worker parked;  /* the next exec's, and guard of the first process */
  struct child parked_child;
  struct timer park, retry;
  int64_t retry_until;
  pid_t pid;
  int pidfd;
  int console;    /* listening while `create` works */
  int output[2];  /* read ends until they are handed to the log */
  int input;      /* the write end of stdin; or a terminal's master; -1: none */
  int terminal;   /* the slave, held so that the master does not end before the first process */
  bool stdin_open;
  container_done *done;
  void (*ended)(struct container *container, int status);
};

struct container_request {
  const char *runtime, *binary, *state, *id;
  bool tty, open_stdin;
};

void container_init(struct container *container, struct loop *loop, const char *folder);

/* Forks the worker, which joins them from now on. */
int container_join(struct container *container, char *const folders[], size_t count, struct failure *failure);
/* `ended` is called when the first process ends, whenever that is. */
int container_create(struct container *container, const struct container_request *request, container_done *done,
                     void (*ended)(struct container *container, int status), struct failure *failure);
int container_set_hostname(const struct container *container, const char *name, struct failure *failure);
/* Lets it run, with its output into `output`. */
int container_start(struct container *container, struct output *output, container_done *done, struct failure *failure);
int container_signal(const struct container *container, int number, struct failure *failure);
/* SIGKILL to all of it. Without waiting. */
void container_kill(const struct container *container);

/* parking.c: */

/* Parks a worker in a moment. */
void container_park(struct container *container);
/* A worker in its cgroups: the parked one, or a new one. */
int container_take_worker(struct container *container, struct worker *worker, struct failure *failure);
/* SIGKILL to the parked worker, and no other will be parked. */
void container_unpark(struct container *container);
/* Removes what the runtime keeps of it. Runs until that is done. */
void container_forget(struct container *container);
