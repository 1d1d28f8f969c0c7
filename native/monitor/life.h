/*
 * The life of a monitor. The only writer of `phase`.
 *
 *   SETUP ──create──▶ CREATING ──▶ CREATED ──start──▶ STARTING ──▶ RUNNING ──first process ends──▶ DRAINING ──output is in the log──▶ EXITED
 *     │                  │            │                  │                                                                            │
 *     │                  └────────────┴───── FAILED ◀────┘                                                                 quit, or 24 h later
 *     │                        │         │                                                                                            │
 *     └────────────────────────┴─────────┴── the bound connection closes, or nobody binds for 10 s ──▶ ended and undone ◀─────────────┘
 *
 * FAILED: it will never run: the runtime refused, or the first process ended before its start; after the latter the monitor ends by itself, unless it
 * was told to kill. From `start` on no connection counts any more.
 */
#pragma once

#include "monitor.h"

void life_begin(struct monitor *monitor);
void life_bound(struct monitor *monitor);
/* The bound connection has closed. */
void life_unbound(struct monitor *monitor);

int life_create(struct monitor *monitor, const struct container_request *request, struct failure *failure);
int life_start(struct monitor *monitor, struct failure *failure);
/*
 * Answers REPLY_QUIT when it is done. EBUSY while the container runs and no kill was asked; after a kill it waits for the end, so that kill and
 * quit can be asked in one go.
 */
int life_quit(struct monitor *monitor, struct failure *failure);
/* Ends all that may still run, undoes everything, and stops the loop. -1: cgroups would not go; may be tried again. */
int life_end(struct monitor *monitor, struct failure *failure);

/* Sends what has happened so far to a connection that has just begun to watch. */
void life_tell(const struct monitor *monitor, struct connection *connection);
