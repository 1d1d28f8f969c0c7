/* Whose a task is. The cookie is found when something happens, never afterwards: a namespace's inode is used again as soon as it is free. */
#pragma once

#include "state.bpf.h"

struct subject {
  struct task_struct *task;
  struct instance *instance;
  __u64 cookie;
};

/* Reads entry `level` of a pid: its number there, and the namespace. False when it is not that deep. */
static __always_inline bool pid_at(struct pid *pid, __u32 level, struct upid *at) {
  if (!pid || BPF_CORE_READ(pid, level) < level) return false;
  void *entry = (void *)pid + bpf_core_field_offset(struct pid, numbers) + level * sizeof(struct upid);
  return bpf_probe_read_kernel(at, sizeof *at, entry) == 0;
}

/* As processes of our own pid namespace see it; 0: not at all. */
static __always_inline __u32 visible_number(struct pid *pid) {
  struct upid at;
  return pid_at(pid, own_level, &at) ? at.nr : 0;
}

static __always_inline __u32 innermost_number(struct pid *pid) {
  if (!pid) return 0;
  __u32 level = BPF_CORE_READ(pid, level);
  struct upid at;
  return level < 32 && pid_at(pid, level, &at) ? at.nr : 0;
}

/* The namespace below ours that a pid is in, also when it is in one nested in that; NULL: in none. */
static __always_inline struct pid_namespace *namespace_of(struct pid *pid) {
  struct upid at;
  return pid_at(pid, own_level + 1, &at) ? at.ns : NULL;
}

/* Cookie of whoever registered that namespace; 0 for nobody. */
static __always_inline __u64 cookie_of_namespace(struct pid_namespace *namespace) {
  if (!namespace) return 0;
  __u32 inode = BPF_CORE_READ(namespace, ns.inum);
  struct registration *registration = bpf_map_lookup_elem(&namespaces, &inode);
  if (!registration) return 0;
  if (registration->began && registration->began != BPF_CORE_READ(namespace, child_reaper, start_boottime)) return 0;
  return registration->cookie;
}

static __always_inline __u64 cookie_of(struct task_struct *task) {
  __u64 cookie = cookie_of_namespace(namespace_of(task->thread_pid));
  if (cookie || !has_members) return cookie;
  __u64 *member = bpf_task_storage_get(&members, task, 0, 0);
  return member ? *member : 0;
}

/*
 * A process that has not called exec since it was forked from outside: the runtime, setting up. Children of it that have not either are the runtime too, hence the loop.
 * Whoever has lost its parent gets one inside the namespace. Processes are looked at, not threads: the kernel sets the flag on every thread, and a thread's parent is its process's.
 */
static __always_inline bool sets_up(struct task_struct *task, __u64 cookie) {
  task = task->group_leader;
  if (!(task->flags & PF_FORKNOEXEC)) return false;
  struct pid_namespace *namespace = namespace_of(task->thread_pid);
#pragma unroll
  for (int generation = 0; generation < 3; generation++) {
    struct task_struct *parent = task->real_parent->group_leader;
    if (namespace_of(parent->thread_pid) != namespace) return true;
    if (!namespace && cookie_of(parent) != cookie) return true;
    if (!(parent->flags & PF_FORKNOEXEC)) return false;
    task = parent;
  }
  return false;
}
