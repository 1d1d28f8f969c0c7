/* Making a record, counting it, and getting it out. */
#pragma once

#include "identity.bpf.h"

static __always_inline void count(struct instance *instance, __u32 counter, __u32 type) {
  __sync_fetch_and_add(&instance->counts[counter][type & (EVENT_SLOTS - 1)], 1);
}

/* Never pushed out by anything. */
static __always_inline bool is_vital(__u32 type) { return type == EVENT_exec || type == EVENT_fork || type == EVENT_exit || type == EVENT_STRANGER; }

/* What an ordinary program may do in masses. */
static __always_inline bool is_bulk(__u32 type) {
  if (type == EVENT_connect || type == EVENT_dup) return false;
  return (type >= EVENT_open && type <= EVENT_chown) || type == EVENT_io_uring || type == EVENT_truncate || type == EVENT_setxattr;
}

/* While the ring is emptier than this, everybody may use it; from then on, until it is again, an instance has only this much of each kind. */
#define SHARED_FREELY (ring_size / 8 * 5)
#define SHARE (ring_size / 32)
#define ORDINARY_LIMIT(type) (is_bulk(type) ? ring_size / 4 * 3 : ring_size / 8 * 7)

/* Takes from the instance's share. False when there is nothing left of it: what room there is, others shall have. */
static __always_inline bool takes_its_share(struct instance *instance, __u32 share, __u64 length) {
  __u64 now = pressure, *pressed = &instance->pressed[share & (SHARES - 1)];
  if (instance->pressure != now) {
    instance->pressure = now;
    instance->pressed[SHARE_ORDINARY] = instance->pressed[SHARE_VITAL] = 0;
  }
  if (*pressed > SHARE) return false;
  __sync_fetch_and_add(pressed, length);
  return true;
}

static __always_inline bool has_room(struct instance *instance, __u32 type, __u64 length) {
  __u64 full = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA), before = pressure;
  /* Who of several CPUs sees it first makes no difference. */
  if ((full > SHARED_FREELY) != (before & 1)) __sync_val_compare_and_swap(&pressure, before, before + 1);
  if (full <= SHARED_FREELY) return true;
  if (is_vital(type)) return full <= ring_size / 8 * 7 || takes_its_share(instance, SHARE_VITAL, length);
  return full <= ORDINARY_LIMIT(type) && takes_its_share(instance, SHARE_ORDINARY, length);
}

/* A record about `subject`, with nothing in it yet but who that is. */
static __noinline struct scratch *begin(__u32 type, struct subject *subject) {
  struct scratch *scratch = scratch_of_this_cpu();
  if (!scratch) return NULL;
  struct event *event = &scratch->event;
  struct task_struct *task = subject->task, *leader = task->group_leader, *parent = leader->real_parent;
  __builtin_memset(event, 0, sizeof *event);
  scratch->used = 0;
  event->boot = bpf_ktime_get_boot_ns();
  event->tid = visible_number(task->thread_pid);
  event->cookie = subject->cookie;
  event->start = leader->start_boottime;
  event->parent_start = parent->group_leader->start_boottime;
  event->type = type;
  event->pid = visible_number(leader->thread_pid);
  event->vpid = innermost_number(leader->thread_pid);
  event->parent_pid = visible_number(parent->group_leader->thread_pid);
  event->parent_vpid = is_inside(parent, task, subject->cookie) ? innermost_number(parent->group_leader->thread_pid) : 0;
  event->uid = task->cred->uid.val;
  event->euid = task->cred->euid.val;
  event->gid = task->cred->gid.val;
  bpf_probe_read_kernel(event->name, COMM, task->comm);
  bpf_probe_read_kernel(event->parent_name, COMM, parent->group_leader->comm);
  return scratch;
}

/* A record about the system call in scratch->call. */
static __always_inline struct scratch *begin_call(struct subject *subject, const volatile struct rule *rule) {
  struct scratch *scratch = begin(rule->type, subject);
  if (!scratch) return NULL;
  struct event *event = &scratch->event;
  event->syscall = scratch->call.number;
  event->result = scratch->call.result;
  event->numbers = rule->numbers;
  if (scratch->call.compat) event->flags |= IS_COMPAT;
#pragma unroll
  for (int index = 0; index < ARGUMENTS; index++)
    if (rule->numbers & 1 << index) event->arguments[index] = scratch->call.arguments[index];
  return scratch;
}

/* Adds a text of `length` bytes of kernel memory. */
static __always_inline void add_text(struct scratch *scratch, __u32 text, const void *from, __u64 length) {
  __u64 at = scratch->used;
  BOUND(at, TEXT_ROOM - PATH_ROOM);
  BOUND(length, PATH_ROOM);
  if (bpf_probe_read_kernel(scratch->texts + at, length, from)) {
    scratch->event.flags |= IS_UNREAD;
    return;
  }
  scratch->event.text[text] = length;
  scratch->used = at + length;
}

static __always_inline void add_kernel_string(struct scratch *scratch, __u32 text, const void *from) {
  __u64 at = scratch->used;
  BOUND(at, TEXT_ROOM - PATH_ROOM);
  long read = bpf_probe_read_kernel_str(scratch->texts + at, PATH_ROOM, from);
  if (read < 0) {
    scratch->event.flags |= IS_UNREAD;
  } else if (read > 1) {
    scratch->event.text[text] = read - 1;
    scratch->used = at + read - 1;
  }
}

/* What the caller's memory holds there now. */
static __always_inline void add_user_string(struct scratch *scratch, __u32 text, __u64 from) {
  if (!from) return;
  __u64 at = scratch->used;
  BOUND(at, TEXT_ROOM - PATH_ROOM);
  scratch->event.flags |= IS_USER;
  long read = bpf_probe_read_user_str(scratch->texts + at, PATH_ROOM, (void *)from);
  if (read < 0) {
    scratch->event.flags |= IS_UNREAD;
  } else if (read > 1) {
    scratch->event.text[text] = read - 1;
    scratch->used = at + read - 1;
  }
}

/* Sends the record on its way, or counts that there was no room. */
static __always_inline int submit(struct scratch *scratch, struct subject *subject) {
  __u32 type = scratch->event.type;
  __u64 length = scratch->used;
  BOUND(length, TEXT_ROOM);
  scratch->event.length = sizeof(struct event) + length;
  bool room = has_room(subject->instance, type, sizeof(struct event) + length);
  /* The loader looks every millisecond while there is something to see: waking it for each event would cost more than the event. */
  if (!room || bpf_ringbuf_output(&ring, &scratch->event, sizeof(struct event) + length, loader_sleeps ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP)) {
    count(subject->instance, DROPPED, type);
    __sync_fetch_and_add(&lost, 1);
  } else {
    count(subject->instance, EMITTED, type);
  }
  return 0;
}
