/* Records out of the ring, on their way to lines. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

/* `ring_map`: the map's descriptor. Exits with a `failed` line when there is no memory for it. */
void events_open(int ring_map, __u64 *lost, __u32 *loader_sleeps);
/* Reads what is in the ring, unless the output is full. Whether there was anything. */
bool events_read(void);
/*
 * Calls `then` once all that has been in the ring until now is told, repeats too: never at once, and, as long as the reader takes nothing, not at all. In the order of
 * the calls. False when there is no memory to remember it.
 */
typedef void (*events_then)(uint64_t tag, uint64_t cookie);
bool events_after(events_then then, uint64_t tag, uint64_t cookie);
/* Nothing of that kind is waited for. */
bool events_are_settled(void);
/* Tells what waits for its time: repeats, losses, ends of strangers. */
void events_tick(void);
/* Nothing waits for its time. */
bool events_are_quiet(void);
/* Tells the kernel to wake us for the next record, or not to. */
void events_sleep(bool sleep);
