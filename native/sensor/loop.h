/* One thread, one epoll. Whoever has a descriptor to wait for embeds a `struct watch`. */
#pragma once

#include <stdint.h>

struct watch {
  int fd;
  void (*ready)(struct watch *watch, uint32_t events);
};

void loop_open(void);
/* Watches watch->fd. False, with errno, when it cannot be watched. */
_Bool loop_add(struct watch *watch, uint32_t events);
void loop_change(struct watch *watch, uint32_t events);
/* Waits up to so many milliseconds (-1: for ever) and calls whoever is ready. */
void loop_turn(int milliseconds);

/* CLOCK_MONOTONIC. */
int64_t now_ms(void);
