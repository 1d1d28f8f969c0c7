/* In which control groups a task is. What lives 2 ms has no /proc any more when the loader looks, hence here. */
#pragma once

#include "record.bpf.h"

enum { MOST_CGROUP_STEPS = 32 };

/* The folder above was `parent` up to Linux 6.14. */
struct kernfs_node___before {
  struct kernfs_node *parent;
} __attribute__((preserve_access_index));
struct kernfs_node___now {
  struct kernfs_node *__parent;
} __attribute__((preserve_access_index));

struct cgroup_walk {
  struct kernfs_node *node;
  char *buffer;
  __u32 at;
};

static __always_inline struct kernfs_node *folder_above(struct kernfs_node *node) {
  struct kernfs_node___now *now = (void *)node;
  struct kernfs_node___before *before = (void *)node;
  return bpf_core_field_exists(now->__parent) ? BPF_CORE_READ(now, __parent) : BPF_CORE_READ(before, parent);
}

static long write_cgroup(__u32 index, struct cgroup_walk *walk) {
  struct kernfs_node *node = walk->node;
  if (!node) return 1;
  walk->node = folder_above(node);
  if (!walk->node) return 1; /* the root has no name */
  const char *name = BPF_CORE_READ(node, name);
  /* Its length is known once it is read: into the slack behind the path, first. */
  long read = bpf_probe_read_kernel_str(walk->buffer + PATH_ROOM, WALK_SLACK, name);
  if (read < 2) return 1;
  __u32 length = (__u32)(read - 1) & (WALK_SLACK - 1);
  if (walk->at < length + 1) return 1;
  __u32 at = walk->at - length - 1;
  if (at >= PATH_ROOM) return 1;
  bpf_probe_read_kernel(walk->buffer + at + 1, length, name);
  walk->buffer[at] = '/';
  walk->at = at;
  return 0;
}

/* Nothing for the root. Verified on its own, hence a number for a pointer. */
__noinline __u32 walk_cgroup(__u64 node, struct scratch *scratch) {
  if (!scratch) return PATH_ROOM;
  struct cgroup_walk walk = {.node = (void *)node, .buffer = scratch->walk, .at = PATH_ROOM};
  bpf_loop(MOST_CGROUP_STEPS, write_cgroup, &walk, 0);
  return walk.at;
}

static __always_inline void add_cgroup(struct scratch *scratch, __u32 text, struct cgroup *cgroup) {
  if (!cgroup) return;
  __u64 at = walk_cgroup((__u64)BPF_CORE_READ(cgroup, kn), scratch), length;
  if (at >= PATH_ROOM) return;
  length = PATH_ROOM - at;
  add_text(scratch, text, scratch->walk + at, length);
}

/* That of cgroup2, and that of the pids controller, which is another one where hierarchies are many. */
static __always_inline void add_cgroups(struct scratch *scratch, struct task_struct *task) {
  struct css_set *set = BPF_CORE_READ(task, cgroups);
  add_cgroup(scratch, TEXT_PATH, BPF_CORE_READ(set, dfl_cgrp));
  if (!bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id)) return;
  struct cgroup_subsys_state *state = NULL;
  __u64 index = bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id);
  bpf_probe_read_kernel(&state, sizeof state, (void *)set + bpf_core_field_offset(struct css_set, subsys) + index * sizeof state);
  if (state) add_cgroup(scratch, TEXT_TARGET, BPF_CORE_READ(state, cgroup));
}
