/*
 * What is mounted for an instance, in the monitor's private mount namespace. The working directory is FOLDER throughout, so every path is
 * relative and of any length.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/failure.h"

/* Leaves the host's mount and network namespaces. With `hybrid` /sys/fs/cgroup/unified is not there any more: crun refuses such hosts. */
int mounts_leave_host(bool hybrid, struct failure *failure);
/* FOLDER/sys and FOLDER/secrets. */
int mounts_prepare(struct failure *failure);
/* FOLDER/layers: a read-only clone of `layers` in which the owner 0 is the host's id `first`. */
int mounts_map_layers(const char *layers, uint32_t first, uint32_t count, struct failure *failure);
/* FOLDER/rootfs. `lower` are names in FOLDER/layers; a relative upper or work is in FOLDER. */
int mounts_overlay(const char *lower, const char *upper, const char *work, bool is_volatile, struct failure *failure);
/* Writes (or replaces) FOLDER/secrets/NAME. The content must be wiped by whoever has it. */
int mounts_secret(const char *name, uint32_t uid, uint32_t gid, const char *base64, struct failure *failure);
/*
 * gVisor takes /proc/sys/net/core/rmem_default for a sign of the host's network namespace, but newer kernels have it in each: hides it from this
 * process, in a mount namespace of its own. (In the monitor's, the container could then not mount its /proc.)
 */
int mounts_hide_core_sysctls(struct failure *failure);
/* Unmounts all of these; what the end of the mount namespace would do anyway, a little later. */
void mounts_undo(void);
