/* The registered instances as this program knows them, beside the kernel's maps. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "json.h"

/* File descriptors of the maps and of the program `change_flags`, once they are loaded. */
void instances_open(int instances_map, int namespaces_map, int members_map, int change_flags);

/* Each gives 0 or an errno. `root`: may be NULL. */
/* `pid`: a process that sees the container's mounts, for those flags that are about scripts; 0: unknown. */
int instance_add_namespace(uint32_t inode, uint64_t cookie, uint32_t flags, const char *root, int pid);
int instance_add_process(int pid, uint64_t start_ticks, uint64_t cookie, uint32_t flags, const char *root);
int instance_set_flags(uint64_t cookie, uint32_t flags);
/* From now on nothing is seen of it; what was is still on its way. Then instance_remove, after all that has been told. */
int instance_hide(uint64_t cookie);
/* A stranger, as the kernel has stamped it. */
void instance_add_stranger(uint64_t cookie, uint32_t inode);
/* Writes `counts` of it, and forgets it. */
int instance_remove(uint64_t cookie, struct json *json);
/* Writes `counts`: of one, or with 0 of all there were. */
int instance_counts(uint64_t cookie, struct json *json);
/* An event that the kernel let through was not wanted after all. */
void instance_refuse(uint64_t cookie, uint16_t type);
/* Path of the container's root, or NULL. Valid until it is removed. */
const char *instance_root(uint64_t cookie);
/* Calls for each whose drops have grown since the last time. */
void instances_with_losses(void (*tell)(uint64_t cookie, const uint64_t dropped[EVENT_SLOTS]));
void counts_write(struct json *json, const char *key, const uint64_t counts[EVENT_SLOTS]);
const char *event_name(unsigned type);
