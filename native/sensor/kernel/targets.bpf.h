/* Calls that are about another process: signals, ptrace, its memory, its descriptors. */
#pragma once

#include "files.bpf.h"

enum { RADIX_BITS = 6, RADIX_LEVELS = 6, RADIX_INTERNAL = 2, RADIX_TAG = 3 };

/* The kernel's find_pid_ns: its tree of numbers is walked as the kernel does. NULL for none. */
static __always_inline struct pid *pid_by_number(struct pid_namespace *namespace, __u32 number) {
  __u64 entry = (__u64)BPF_CORE_READ(namespace, idr.idr_rt.xa_head);
  __u32 index = number - BPF_CORE_READ(namespace, idr.idr_base);
#pragma unroll
  for (int level = 0; level < RADIX_LEVELS; level++) {
    if ((entry & RADIX_TAG) != RADIX_INTERNAL) break;
    struct xa_node *node = (void *)(entry - RADIX_INTERNAL);
    __u32 slot = index >> (BPF_CORE_READ(node, shift) & 31);
    if (level == 0 && slot >= 1 << RADIX_BITS) return NULL;
    void *slots = (void *)node + bpf_core_field_offset(struct xa_node, slots);
    if (bpf_probe_read_kernel(&entry, sizeof entry, slots + (slot & ((1 << RADIX_BITS) - 1)) * sizeof(void *))) return NULL;
  }
  return entry & RADIX_TAG ? NULL : (struct pid *)entry;
}

/* The process that a number means to `task`. */
static __always_inline struct task_struct *task_by_number(struct task_struct *task, __u32 number) {
  struct pid *own = task->thread_pid;
  struct upid at;
  if (!own || !pid_at(own, BPF_CORE_READ(own, level), &at)) return NULL;
  struct pid *pid = pid_by_number(at.ns, number);
  struct hlist_node *first = pid ? BPF_CORE_READ(pid, tasks[0].first) : NULL;
  if (!first) return NULL;
  struct task_struct *found = (void *)first - bpf_core_field_offset(struct task_struct, pid_links);
  return BPF_CORE_READ(found, group_leader);
}

static __always_inline void add_target(struct scratch *scratch, struct task_struct *target) {
  struct pid *pid = BPF_CORE_READ(target, thread_pid);
  scratch->event.target.pid = visible_number(pid);
  scratch->event.target.cookie = cookie_of_namespace(namespace_of(pid));
}

/* The process that a pidfd is of. */
static __always_inline struct task_struct *task_of_pidfd(struct task_struct *task, __u32 descriptor) {
  struct file *file = file_of(task, descriptor);
  if (!file) return NULL;
  bool own_file_system = BPF_CORE_READ(file, f_inode, i_sb, s_magic) == PIDFS_MAGIC;
  struct pid *pid = own_file_system ? BPF_CORE_READ(file, f_inode, i_private) : BPF_CORE_READ(file, private_data);
  struct hlist_node *first = pid ? BPF_CORE_READ(pid, tasks[0].first) : NULL;
  if (!first) return NULL;
  struct task_struct *found = (void *)first - bpf_core_field_offset(struct task_struct, pid_links);
  return BPF_CORE_READ(found, group_leader);
}

/* kill and its kin. What programs do all the time is left out: signals to itself, its group, its children; signal 0, which only asks. */
static __always_inline int on_signal(struct subject *subject, struct scratch *scratch, const volatile struct rule *rule) {
  int number = argument(scratch, rule->tid), signal = argument(scratch, rule->value);
  if (signal == 0) return filtered_call(subject, scratch);
  if (rule->descriptor || number > 0) {
    struct task_struct *target = rule->descriptor ? task_of_pidfd(subject->task, argument(scratch, rule->descriptor)) : task_by_number(subject->task, number);
    if (!target) return filtered_call(subject, scratch);
    pid_t tgid = BPF_CORE_READ(target, tgid), own = subject->task->tgid;
    if (tgid == own || BPF_CORE_READ(target, real_parent, tgid) == own) return filtered_call(subject, scratch);
    add_target(scratch, target);
  } else if (number == 0) {
    return filtered_call(subject, scratch);
  }
  return submit(scratch, subject);
}

/* Requests that attach, trace or write; the others come in masses once one has attached. */
static __always_inline bool is_ptrace_told(__u32 request) {
  switch (request) {
    case 0:      /* TRACEME */
    case 4:      /* POKETEXT */
    case 5:      /* POKEDATA */
    case 6:      /* POKEUSR */
    case 13:     /* SETREGS */
    case 15:     /* SETFPREGS */
    case 16:     /* ATTACH */
    case 0x4205: /* SETREGSET */
    case 0x4206: /* SEIZE */
      return true;
    default:
      return false;
  }
}

static __always_inline int on_target(struct subject *subject, struct scratch *scratch, const volatile struct rule *rule) {
  if (scratch->event.type == EVENT_ptrace && !is_ptrace_told(argument(scratch, 1))) return filtered_call(subject, scratch);
  struct task_struct *target =
      rule->descriptor ? task_of_pidfd(subject->task, argument(scratch, rule->descriptor)) : task_by_number(subject->task, argument(scratch, rule->tid));
  if (target) add_target(scratch, target);
  return submit(scratch, subject);
}
