/* Records out of the ring, on their way to lines. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

/* `ring_map`: the map's descriptor; `ring_size`: its bytes. Exits with a `failed` line when there is no memory for it. */
void events_open(int ring_map, uint64_t ring_size, __u64 *lost, __u32 *loader_sleeps);
/* Reads what is in the ring, unless the output is full. Whether there was anything. */
bool events_read(void);
/* Reads all that was in the ring when it was called, and tells all repeats. */
void events_drain(void);
/* Tells what waits for its time: repeats, losses, ends of strangers. */
void events_tick(void);
/* Nothing waits for its time. */
bool events_are_quiet(void);
/* Tells the kernel to wake us for the next record, or not to. */
void events_sleep(bool sleep);
