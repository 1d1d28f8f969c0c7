/* The paths that are watched, as PROTOCOL.md writes them: what the kernel compares, and what only this program can. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"

/* What the kernel reads: the map of beginnings, and its name filter. */
void patterns_open(int paths_map, __u64 *name_filter, __u32 *every_name, __u32 *has_patterns);
/* `interest`: SENSITIVE or WRITE_WATCHED. 0 or an errno. */
int pattern_add(uint32_t interest, const char *pattern);
int pattern_remove(uint32_t interest, const char *pattern);
/* SENSITIVE and WRITE_WATCHED as they are of this path, by the patterns with a `*` in the middle, or by all. */
uint32_t patterns_of(const char *path, size_t length, bool all);
