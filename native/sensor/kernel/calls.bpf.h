/* All other events: system calls at their end, when what they did can be read from the kernel's own objects. */
#pragma once

#include "files.bpf.h"
#include "sockets.bpf.h"
#include "targets.bpf.h"
#include "watch.bpf.h"

enum { SOCKETCALL_ARGUMENTS = 6, LAST_STDIO = 2, F_DUPFD = 0, F_DUPFD_CLOEXEC = 1030 };

/* The number of the call that is ending, and its table; registers keep their arguments until then. */
static __always_inline __u32 number_of_call(struct task_struct *task, struct pt_regs *registers, bool *compat) {
  *compat = task->thread_info.status & TS_COMPAT;
  __u32 number = registers->orig_ax;
  return *compat ? number : number & ~X32_BIT;
}

static __always_inline void read_call(struct scratch *scratch, struct pt_regs *registers, bool compat, __u32 number, long result) {
  struct call *call = &scratch->call;
  call->compat = compat;
  call->number = number;
  call->result = compat ? (__s32)result : result;
  if (compat) {
    call->arguments[0] = (__u32)registers->bx;
    call->arguments[1] = (__u32)registers->cx;
    call->arguments[2] = (__u32)registers->dx;
    call->arguments[3] = (__u32)registers->si;
    call->arguments[4] = (__u32)registers->di;
    call->arguments[5] = (__u32)registers->bp;
  } else {
    call->arguments[0] = registers->di;
    call->arguments[1] = registers->si;
    call->arguments[2] = registers->dx;
    call->arguments[3] = registers->r10;
    call->arguments[4] = registers->r8;
    call->arguments[5] = registers->r9;
  }
}

/* 32-bit socket calls may come through one number, their arguments in memory. Which call it is; 0 for none that is told. */
static __always_inline __u32 read_socketcall(struct scratch *scratch) {
  struct call *call = &scratch->call;
  __u32 kind = call->arguments[0], arguments[SOCKETCALL_ARGUMENTS] = {};
  if (kind >= sizeof socketcalls / sizeof *socketcalls) return 0;
  bpf_probe_read_user(arguments, sizeof arguments, (void *)call->arguments[1]);
  for (int index = 0; index < SOCKETCALL_ARGUMENTS; index++) call->arguments[index] = arguments[index];
  return socketcalls[kind];
}

/* Failures of ordinary work with files: only what was not allowed. */
static __always_inline bool is_ordinary_failure(__s64 result) { return result < 0 && result != -EACCES && result != -EPERM && result != -EROFS; }

/* Of fcntl(2): most of its commands are about something else. */
static __always_inline bool duplicates(__u64 command) { return command == F_DUPFD || command == F_DUPFD_CLOEXEC; }

static __always_inline int on_capabilities(struct subject *subject, struct scratch *scratch) {
  const struct cred *cred = subject->task->cred;
  bpf_core_read(&scratch->event.value, sizeof scratch->event.value, &cred->cap_effective);
  return submit(scratch, subject);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *registers, long result) {
  struct task_struct *task = bpf_get_current_task_btf();
  bool compat;
  __u32 number = number_of_call(task, registers, &compat);
  if (number >= SYSCALLS) return 0;
  const volatile struct rule *rule = &rules[compat][number];
  if (!rule->type) return 0;
  /* Descriptors are duplicated all the time; onto stdio, seldom. */
  if (rule->shape == SHAPE_DUPLICATE && (result < 0 || result > LAST_STDIO)) return 0;
  if (rule->shape == SHAPE_EXEC && result != -EPERM) {
    if (result < 0) judgement_of(visible_number(task->thread_pid)); /* it failed all the same */
    return 0;
  }
  struct subject subject;
  /* A program that was refused is told also of the runtime: it would have been the workload's. */
  if (rule->shape == SHAPE_EXEC ? !identify(&subject, task) : !is_told(&subject, task, rule->type)) return 0;
  struct scratch *scratch = scratch_of_this_cpu();
  if (!scratch) return 0;
  read_call(scratch, registers, compat, number, result);
  if (rule->shape == SHAPE_SOCKETCALL) {
    scratch->call.number = number = read_socketcall(scratch);
    if (!number || number >= SYSCALLS) return 0;
    rule = &rules[1][number];
    if (!rule->type) return 0;
  }
  if ((rule->shape == SHAPE_FILE && is_ordinary_failure(scratch->call.result)) || (rule->shape == SHAPE_ACCEPTED && scratch->call.result < 0)) {
    count(subject.instance, FILTERED, rule->type);
    return 0;
  }
  if (rule->shape == SHAPE_DUPLICATE && rule->value && !duplicates(argument(scratch, rule->value))) return 0;
  if (rule->shape == SHAPE_OPEN) return on_open(&subject, scratch, rule);
  if (!begin_call(&subject, rule)) return 0;
  struct event *event = &scratch->event;
  switch (rule->shape) {
    case SHAPE_HANDLE:
      return on_handle(&subject, scratch);
    case SHAPE_ADDRESS:
      event->arguments[0] = argument(scratch, 1);
      return on_address(&subject, scratch, argument(scratch, 1), argument(scratch, rule->address), argument(scratch, rule->length));
    case SHAPE_MESSAGE:
      event->arguments[0] = argument(scratch, 1);
      return on_message(&subject, scratch, (void *)argument(scratch, 2));
    case SHAPE_MESSAGES:
      return on_messages(&subject, scratch, rule);
    case SHAPE_SOCKET:
      event->arguments[0] = argument(scratch, 1);
      return on_socket(&subject, scratch, (__s32)argument(scratch, 1));
    case SHAPE_ACCEPTED:
    case SHAPE_DUPLICATE:
      event->arguments[0] = scratch->call.result;
      return on_socket(&subject, scratch, scratch->call.result);
    case SHAPE_NEW_SOCKET:
      return on_new_socket(&subject, scratch);
    case SHAPE_FILE:
    case SHAPE_PATHS:
      return on_paths(&subject, scratch, rule);
    case SHAPE_DESCRIPTOR:
      return on_descriptor(&subject, scratch, rule);
    case SHAPE_SIZE:
      return on_size(&subject, scratch, rule);
    case SHAPE_SIGNAL:
      return on_signal(&subject, scratch, rule);
    case SHAPE_TARGET:
      return on_target(&subject, scratch, rule);
    case SHAPE_EXEC:
      return on_refused_program(&subject, scratch, rule);
    case SHAPE_CAPABILITIES:
      return on_capabilities(&subject, scratch);
    default:
      return submit(scratch, &subject);
  }
}

/*
 * A connection's beginning. One that blocks is told here, since its end may be minutes away, and so is one of io_uring, which has no system call; of the others the
 * call's result says the same.
 */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_connecting, const struct sock *sock, const int old_state, const int new_state) {
  if (new_state != TCP_SYN_SENT || BPF_CORE_READ(sock, sk_protocol) != IPPROTO_TCP) return 0;
  struct task_struct *task = bpf_get_current_task_btf();
  struct subject subject;
  if (!is_told(&subject, task, EVENT_connect)) return 0;
  bool compat;
  __u32 number = number_of_call(task, (struct pt_regs *)bpf_task_pt_regs(task), &compat);
  bool by_call = number < SYSCALLS && (rules[compat][number].type == EVENT_connect || rules[compat][number].shape == SHAPE_SOCKETCALL);
  if (by_call && BPF_CORE_READ(sock, sk_socket, file, f_flags) & O_NONBLOCK) return 0;
  struct scratch *scratch = begin(EVENT_connect, &subject);
  if (!scratch) return 0;
  scratch->event.result = -EINPROGRESS;
  scratch->event.syscall = by_call ? number : 0;
  scratch->event.arguments[0] = -1; /* its descriptor is not known here */
  if (compat && by_call) scratch->event.flags |= IS_COMPAT;
  add_socket(scratch, (struct sock *)sock);
  judge_connection(&subject, scratch);
  return submit(scratch, &subject);
}
