/*
 * The hard deadline, on the boot clock (it counts suspend), with nobody's help:
 *
 *   unset ──set──▶ waiting ──at──▶ stopping (stop signal sent) ──grace──▶ killing (SIGKILL to all, again each second)
 *                   └─set─▲
 */
#pragma once

#include "container.h"

struct deadline {
  struct loop *loop;
  struct container *container;
  struct watch timer;
  int64_t at, grace; /* boot ms, ms */
  bool begun;        /* the container runs: from now on it counts */
  int signal;
  enum { DEADLINE_WAITING, DEADLINE_STOPPING, DEADLINE_KILLING } phase;
};

int deadline_open(struct deadline *deadline, struct loop *loop, struct container *container, struct failure *failure);
/* ETIMEDOUT when the stop signal was sent already. Counts only from deadline_begin on. */
int deadline_set(struct deadline *deadline, int64_t at, int64_t grace, int signal, struct failure *failure);
/* The container runs. */
int deadline_begin(struct deadline *deadline, struct failure *failure);
/* The container has ended. */
void deadline_end(struct deadline *deadline);
