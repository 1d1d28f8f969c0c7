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
  struct member *member = bpf_task_storage_get(&members, task, 0, 0);
  return member ? member->cookie : 0;
}

/*
 * A process that has not called exec since it was forked from outside, or since it was registered: the runtime, setting up. So are children of it that have not either. It is marked
 * when it is forked (processes.bpf.h): who its parent is afterwards, a workload can choose. Only of the first process in a pid namespace this is known without a mark.
 * The kernel sets the flag on every thread: the process's own is looked at.
 */
static __always_inline bool sets_up(struct task_struct *task) {
  struct task_struct *leader = task->group_leader;
  if (!(leader->flags & PF_FORKNOEXEC)) return false;
  struct member *member = bpf_task_storage_get(&members, task, 0, 0);
  if (member) return member->sets_up;
  struct upid at;
  return pid_at(leader->thread_pid, own_level + 1, &at) && at.nr == 1;
}

/* Whether `parent` is within the instance of `task`, whose cookie that is. */
static __always_inline bool is_inside(struct task_struct *parent, struct task_struct *task, __u64 cookie) {
  struct pid_namespace *namespace = namespace_of(task->thread_pid);
  return namespace ? namespace_of(parent->thread_pid) == namespace : cookie_of(parent) == cookie;
}
