/* Strangers: pid namespaces that nobody has registered get a cookie here, at the first thing that is seen of them. */
#pragma once

#include "cgroups.bpf.h"

/* An instance of which nothing is known yet. */
static const struct instance blank = {};

/* Stamps the namespace of subject->task and announces it. False when it is none to watch. */
static __noinline bool stamp_stranger(struct subject *subject) {
  struct task_struct *task = subject->task;
  struct pid_namespace *namespace = namespace_of(task->thread_pid);
  if (!namespace || BPF_CORE_READ(task, thread_pid, level) < own_level + watch_level) return false;
  __u32 inode = BPF_CORE_READ(namespace, ns.inum);
  /* One number each; one that is not used in the end does no harm. */
  struct registration registration = {.cookie = FIRST_STRANGER + __sync_fetch_and_add(&last_stranger, 1)};
  registration.began = BPF_CORE_READ(namespace, child_reaper, start_boottime);
  struct registration *before = bpf_map_lookup_elem(&namespaces, &inode);
  if (before && before->began == registration.began) { /* another CPU was faster */
    subject->cookie = before->cookie;
    subject->instance = bpf_map_lookup_elem(&instances, &before->cookie);
    return subject->instance;
  }
  if (bpf_map_update_elem(&instances, &registration.cookie, &blank, BPF_NOEXIST)) return false;
  struct instance *instance = bpf_map_lookup_elem(&instances, &registration.cookie);
  if (!instance) return false;
  instance->flags = watch_flags;
  instance->stranger = 1;
  /* Of two CPUs that stamp at once, the later finds the earlier's; a namespace that is gone left one that is replaced. */
  if (bpf_map_update_elem(&namespaces, &inode, &registration, before ? BPF_EXIST : BPF_NOEXIST)) {
    bpf_map_delete_elem(&instances, &registration.cookie);
    before = bpf_map_lookup_elem(&namespaces, &inode);
    if (!before) return false;
    subject->cookie = before->cookie;
    subject->instance = bpf_map_lookup_elem(&instances, &before->cookie);
    return subject->instance;
  }
  subject->cookie = registration.cookie;
  subject->instance = instance;
  struct scratch *scratch = begin(EVENT_STRANGER, subject);
  if (!scratch) return false;
  scratch->event.stranger.namespace = inode;
  scratch->event.stranger.cgroup = bpf_get_current_cgroup_id();
  add_cgroups(scratch, task);
  submit(scratch, subject);
  return true;
}

/* Finds out whose `task` is. False for nobody's: by far the most. */
static __always_inline bool identify(struct subject *subject, struct task_struct *task) {
  subject->task = task;
  subject->cookie = cookie_of(task);
  if (subject->cookie) {
    subject->instance = bpf_map_lookup_elem(&instances, &subject->cookie);
    return subject->instance;
  }
  return watch_level && !sets_up(task) && stamp_stranger(subject);
}

/* As identify, for what `task` does itself. False also, and counted, when it is the runtime at its set-up. */
static __noinline bool is_told(struct subject *subject, struct task_struct *task, __u32 type) {
  if (!identify(subject, task)) return false;
  if (!sets_up(task)) return true;
  count(subject->instance, FILTERED, type);
  return false;
}
