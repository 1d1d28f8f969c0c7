#include "loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

enum { MOST_EVENTS = 8 };

static int epoll = -1;

int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void loop_open(void) {
  epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll >= 0) return;
  fprintf(stderr, "dayfly-sensor: create an epoll descriptor: %s\n", strerror(errno));
  exit(1);
}

_Bool loop_add(struct watch *watch, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = watch};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, watch->fd, &event) == 0;
}

void loop_change(struct watch *watch, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = watch};
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, watch->fd, &event) == 0) return;
  fprintf(stderr, "dayfly-sensor: wait for descriptor %d: %s\n", watch->fd, strerror(errno));
  exit(1);
}

void loop_turn(int milliseconds) {
  struct epoll_event events[MOST_EVENTS];
  int ready = epoll_wait(epoll, events, MOST_EVENTS, milliseconds);
  for (int index = 0; index < ready; index++) {
    struct watch *watch = events[index].data.ptr;
    watch->ready(watch, events[index].events);
  }
}
