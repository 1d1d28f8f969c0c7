/* All eBPF programs of the sensor, as one object: they share their maps. Each part is in a header of its own. */
#include "calls.bpf.h"
#include "enforce.bpf.h"
#include "processes.bpf.h"
#include "uring.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Run once by the loader, before anything is attached: how deep its own pid namespace is. */
SEC("syscall")
int measure_level(void *context) {
  struct task_struct *task = bpf_get_current_task_btf();
  own_level = BPF_CORE_READ(task, thread_pid, level);
  return 0;
}

/* What the loader must know to answer an open by execve(2): asked by a descriptor of its own. */
SEC("syscall")
int look_at_program(struct program_question *question) {
  struct task_struct *own = bpf_get_current_task_btf();
  struct task_struct *task = task_by_number(own, question->task);
  struct file *file = file_of(own, question->file);
  __u64 cookie = task ? cookie_of_namespace(namespace_of(BPF_CORE_READ(task, thread_pid))) : 0;
  struct instance *instance = cookie ? bpf_map_lookup_elem(&instances, &cookie) : NULL;
  question->cookie = cookie;
  question->instance_flags = instance ? instance->flags : 0;
  question->origin = file ? origin_of(file) : 0;
  return 0;
}

SEC("syscall")
int change_flags(struct flag_change *change) {
  __u64 cookie = change->cookie;
  struct instance *instance = bpf_map_lookup_elem(&instances, &cookie);
  change->found = instance != NULL;
  if (instance) instance->flags = change->flags;
  return 0;
}
