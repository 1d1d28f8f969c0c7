/*
 * The same again and again by one process is told once, and then how often it was repeated. A record that is not the first of its kind within a second is
 * kept back here; nothing is lost by it, and a hundred thousand a second become two lines.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event.h"

/* Whoever tells: the record, and how often (1 and up). */
typedef void (*repeats_tell)(const struct event *event, uint64_t count);

void repeats_open(repeats_tell tell);
/* Tells the record now, or keeps it back as a repeat. Those of a process come before its exec and its exit. */
void repeats_take(const struct event *event);
/* Tells what has waited for a second. */
void repeats_expire(int64_t now_ms);
/* Tells all that is kept back. */
void repeats_flush(void);
/* Nothing is kept back, and nothing would be compared with. */
bool repeats_is_empty(void);
