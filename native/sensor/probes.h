/* The eBPF programs: loading and attaching them, and doing without those that this kernel does not take. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event.h"

struct probes_options {
  uint64_t ring_size;
  const char *cgroup;  /* NULL: found */
  const char *without; /* names with commas, or NULL */
};

/* What the other parts need of what was loaded. The pointers are into memory that the kernel shares with this program. */
struct probes {
  int ring, instances, namespaces, members, paths, judged, change_flags, look_at_program;
  __u32 *watch_level, *watch_flags, *has_members, *loader_sleeps, *every_name, *has_patterns;
  __u64 *lost, *name_filter;
  bool scripts; /* wanted */
};

/* Loads all there is, without anything attached yet. Ends with a `failed` line when the kernel does not take what cannot be done without. */
struct probes probes_load(const struct probes_options *options);
/* Attaches, and writes the `ready` line. `scripts`: why there is no answer to opens by execve(2); NULL when there is. */
void probes_attach(const char *scripts);
