/* Events as lines. */
#pragma once

#include <stdint.h>

#include "event.h"

/* Writes the line of an event that happened `count` times. */
void tell_event(const struct event *event, uint64_t count);
void tell_hash(uint64_t cookie, uint32_t pid, uint64_t start, uint64_t inode, const char *sha256);
