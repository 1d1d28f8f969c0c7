/*
 * A worker is a fork of the monitor that has joined the instance's cgroups ahead of time and waits to become a runtime (`crun create`,
 * `crun exec`): what it starts is then born inside the limits, and nobody waits for the join. While it waits it costs next to nothing.
 *
 * It is also the monitor's guard: when the monitor dies (SIGKILL), its socket ends, and it kills the container before it ends itself.
 */
#pragma once

#include "cgroup.h"
#include "loop.h"

#define WORKER_ARGUMENTS_MAX 24

struct worker {
  pid_t pid; /* 0: none */
  int socket;
};

/* What a worker is to become. */
struct worker_job {
  const char *argument[WORKER_ARGUMENTS_MAX]; /* [0]: absolute path of the program; ended by NULL */
  int stdio[3];
};

struct worker_wish {
  const struct cgroups *cgroups;              /* to join; NULL: none */
  int guarded;                                /* a pidfd to kill when the monitor dies; -1: none */
  int (*prepare)(struct failure *failure);    /* called in the worker before it waits; NULL: nothing to do */
};

int worker_fork(struct worker *worker, const struct worker_wish *wish, struct failure *failure);

/* Hands the job over; worker->pid becomes that program, with the exit status of that program, or 127 and a report. */
int worker_give(struct worker *worker, const struct worker_job *job, struct failure *failure);

/* What the worker says of itself, without waiting. 1: it has joined; 0: nothing; -1: it failed, and why. */
int worker_report(struct worker *worker, struct failure *failure);

/* Closes the socket of a worker that has its job, or that has ended. */
void worker_close(struct worker *worker);
