/*
 * One thread, one epoll: descriptors, timers, children. Everything is intrusive (the struct lives inside its owner), so the loop never allocates.
 * Handlers may remove or free anything, themselves included: one event is fetched and handled at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "wire/failure.h"

/* The struct that `member` is embedded in. */
#define OWNER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

struct watch {
  int fd; /* -1: not watched, nothing open. Zeroed structs must set this */
  uint32_t events;
  void (*ready)(struct watch *watch, uint32_t events);
};

struct timer {
  int64_t at; /* monotonic ms; 0: not set */
  void (*fire)(struct timer *timer);
  struct timer *next;
};

struct child {
  pid_t pid; /* 0: none */
  void (*ended)(struct child *child, int status);
  struct child *next;
};

#define ORPHANS_KEPT 16

struct loop {
  int epoll;
  struct watch signals;
  struct timer *timers;
  struct child *children;
  /* Children that ended before anybody knew their pid: a runtime writes its pid file after the process may already be over. */
  struct {
    pid_t pid;
    int status;
  } orphans[ORPHANS_KEPT];
  unsigned next_orphan;
};

int loop_open(struct loop *loop, struct failure *failure);

/* Waits for one event, timer or child and handles it. */
void loop_turn(struct loop *loop);

/* Watches fd, which the watch owns from now on. EPOLLHUP and EPOLLERR always come. */
int loop_watch(struct loop *loop, struct watch *watch, int fd, uint32_t events, void (*ready)(struct watch *, uint32_t), struct failure *failure);
void loop_change(struct loop *loop, struct watch *watch, uint32_t events);
/* No event is wanted, not even the end of the other side; fd stays open. loop_change ends it. */
void loop_pause(struct loop *loop, struct watch *watch);
/* Stops watching and closes. Harmless when there is nothing. */
void loop_close(struct loop *loop, struct watch *watch);

void loop_set_timer(struct loop *loop, struct timer *timer, int64_t milliseconds, void (*fire)(struct timer *));
void loop_clear_timer(struct loop *loop, struct timer *timer);

/* `ended` is called when pid, a child or adopted descendant of this process, has been reaped; at once if it was before. */
void loop_expect(struct loop *loop, struct child *child, pid_t pid, void (*ended)(struct child *, int));
void loop_forget(struct loop *loop, struct child *child);
/* Reaps what has ended, without waiting. Also called by loop_turn. */
void loop_reap(struct loop *loop);

int64_t monotonic_ms(void);
int64_t wall_ms(void);
