/* io_uring: what it does is no system call, so that nothing else here sees it. */
#pragma once

#include "files.bpf.h"
#include "watch.bpf.h"

/* enum io_uring_op: of the user's interface, the same everywhere. */
enum {
  OP_SENDMSG = 9,
  OP_ACCEPT = 13,
  OP_CONNECT = 16,
  OP_OPENAT = 18,
  OP_SEND = 26,
  OP_OPENAT2 = 28,
  OP_RENAMEAT = 35,
  OP_LINKAT = 39,
  OP_SOCKET = 45,
  OP_SEND_ZC = 47,
  OP_SENDMSG_ZC = 48,
  OP_BIND = 56,
  OP_LISTEN = 57
};

static __always_inline bool is_operation_told(__u32 operation) {
  return operation == OP_ACCEPT || operation == OP_CONNECT || operation == OP_OPENAT || operation == OP_OPENAT2 ||
         (operation >= OP_RENAMEAT && operation <= OP_LINKAT) || operation == OP_SOCKET || operation == OP_BIND || operation == OP_LISTEN ||
         operation == OP_SENDMSG || operation == OP_SEND || operation == OP_SEND_ZC || operation == OP_SENDMSG_ZC;
}

/* The path of an open as the kernel has copied it; it is not resolved yet. */
static __always_inline const char *path_of_open(struct io_kiocb *request) {
  return bpf_core_field_exists(((struct io_open *)0)->filename) ? BPF_CORE_READ((struct io_open *)request, filename, name) : NULL;
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(on_io_uring, struct io_kiocb *request) {
  __u32 operation = request->opcode;
  if (!is_operation_told(operation)) return 0;
  struct subject subject;
  if (!is_told(&subject, bpf_get_current_task_btf(), EVENT_io_uring)) return 0;
  struct scratch *scratch = begin(EVENT_io_uring, &subject);
  if (!scratch) return 0;
  const char *path = operation == OP_OPENAT || operation == OP_OPENAT2 ? path_of_open(request) : NULL;
  scratch->event.value = operation;
  if (path) add_kernel_string(scratch, TEXT_PATH, path);
  submit(scratch, &subject);
  if (!path) return 0;

  /* An open of a sensitive path besides, so that whoever looks for those need not know of io_uring. */
  if (!has_patterns && !(subject.instance->flags & ALL_OPENS)) {
    count(subject.instance, FILTERED, EVENT_open);
    return 0;
  }
  if (!begin(EVENT_open, &subject)) return 0;
  scratch->event.open.flags = BPF_CORE_READ((struct io_open *)request, how.flags);
  add_kernel_string(scratch, TEXT_PATH, path);
  return submit_unresolved(&subject, scratch, BPF_CORE_READ((struct io_open *)request, dfd));
}
