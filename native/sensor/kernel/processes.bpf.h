/* exec, fork and exit. */
#pragma once

#include "files.bpf.h"
#include "watch.bpf.h"

/* As /proc/PID/stat shows a terminal: minor and major as new_encode_dev. */
static __always_inline __u32 terminal_of(struct task_struct *task) {
  struct tty_struct *tty = BPF_CORE_READ(task, signal, tty);
  if (!tty) return 0;
  __u32 major = BPF_CORE_READ(tty, driver, major), minor = BPF_CORE_READ(tty, driver, minor_start) + BPF_CORE_READ(tty, index);
  return (minor & 0xff) | major << 8 | (minor & ~0xffU) << 12;
}

static __always_inline __u32 signal_pid(struct task_struct *task, enum pid_type kind) {
  struct signal_struct *signal = task->signal;
  struct pid *pid = NULL;
  bpf_core_read(&pid, sizeof pid, &signal->pids[kind]);
  return innermost_number(pid);
}

/* What is not in the image is killed, if that is asked for: the signal is delivered before the first instruction. */
static __always_inline void judge_program(struct subject *subject, struct event *event) {
  __u32 flags = subject->instance->flags;
  if (!(event->flags & (IS_UPPER | IS_MEMFD))) return;
  if (flags & ENFORCE_DROPPED) {
    if (bpf_send_signal(SIGKILL) == 0) event->flags |= IS_DENIED;
  } else if (flags & AUDIT_DROPPED) {
    event->flags |= WOULD_DENY;
  }
}

static __always_inline void ends_set_up(struct task_struct *task) {
  struct member *member = bpf_task_storage_get(&members, task, 0, 0);
  if (!member) return;
  if (member->cookie)
    member->sets_up = 0;
  else
    bpf_task_storage_delete(&members, task);
}

/* What a child must know that its parent knows: whose it is, and that it is the runtime's. From outside into a pid namespace, only a runtime forks. */
static __always_inline void pass_on(struct task_struct *parent, struct task_struct *child) {
  struct member *own = bpf_task_storage_get(&members, parent, 0, 0);
  struct member passed = {.cookie = own ? own->cookie : 0};
  bool crosses = namespace_of(parent->thread_pid) != namespace_of(child->thread_pid) && !cookie_of(parent);
  passed.sets_up = crosses || sets_up(parent);
  if (!passed.cookie && !passed.sets_up) return;
  if (!bpf_task_storage_get(&members, child, &passed, BPF_LOCAL_STORAGE_GET_F_CREATE)) __sync_fetch_and_add(&lost, 1);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *program) {
  struct subject subject;
  ends_set_up(task);
  if (!is_told(&subject, task, EVENT_exec)) return 0;
  struct scratch *scratch = begin(EVENT_exec, &subject);
  if (!scratch) return 0;
  struct event *event = &scratch->event;
  struct file *file = program->file;
  event->flags |= origin_of(file) | judgement_of(own_level ? visible_number(task->thread_pid) : (__u32)old_pid);
  judge_program(&subject, event);
  add_file_identity(scratch, BPF_CORE_READ(file, f_inode));
  event->exec.tty = terminal_of(task);
  event->exec.group = signal_pid(task, PIDTYPE_PGID);
  event->exec.session = signal_pid(task, PIDTYPE_SID);

  add_kernel_string(scratch, TEXT_PATH, program->filename);
  add_file_path(scratch, TEXT_TARGET, file);
  add_working_directory(scratch, TEXT_DIRECTORY, task);
  __u64 from = task->mm->arg_start, length = task->mm->arg_end - from, at = scratch->used;
  event->exec.arguments_length = length;
  event->exec.arguments_count = program->argc;
  if (length > PATH_ROOM) event->flags |= IS_TRUNCATED;
  BOUND(length, PATH_ROOM);
  BOUND(at, TEXT_ROOM - PATH_ROOM);
  if (bpf_probe_read_user(scratch->texts + at, length, (void *)from)) {
    event->flags |= IS_UNREAD;
  } else {
    event->text[TEXT_DETAIL] = length;
    scratch->used = at + length;
  }
  return submit(scratch, &subject);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child) {
  pass_on(parent, child);
  if (child->tgid == parent->tgid) return 0; /* a thread */
  struct subject subject;
  /* Whose the child is counts: from a runtime outside into the container is its set-up. */
  if (!identify(&subject, child)) return 0;
  if (cookie_of(parent) != subject.cookie || sets_up(parent)) {
    count(subject.instance, FILTERED, EVENT_fork);
    return 0;
  }
  subject.task = parent;
  struct scratch *scratch = begin(EVENT_fork, &subject);
  if (!scratch) return 0;
  struct fork_facts *facts = &scratch->event.fork;
  facts->child = visible_number(child->thread_pid);
  facts->child_vpid = innermost_number(child->thread_pid);
  facts->start = child->start_boottime;
  return submit(scratch, &subject);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task) {
  if (task->signal->live.counter != 0) return 0; /* other threads go on */
  struct subject subject;
  if (!is_told(&subject, task, EVENT_exit)) return 0;
  struct scratch *scratch = begin(EVENT_exit, &subject);
  if (!scratch) return 0;
  struct upid at;
  scratch->event.result = task->exit_code;
  if (subject.instance->stranger && pid_at(task->group_leader->thread_pid, own_level + 1, &at) && at.nr == 1) scratch->event.flags |= ENDS_NAMESPACE;
  return submit(scratch, &subject);
}
