/* Connections and datagrams that an instance is not to make, and addresses at which it is not to listen: EPERM, by programs at the root of the cgroup2 hierarchy. They only answer; what happened is told at the call's end. */
#pragma once

#include "sockets.bpf.h"

enum { REFUSE = 0, ALLOW = 1 };

static __always_inline bool is_enforced(__u32 flag) {
  struct task_struct *task = (void *)bpf_get_current_task();
  __u64 cookie = cookie_of_namespace(namespace_of(BPF_CORE_READ(task, thread_pid)));
  struct instance *instance = cookie ? bpf_map_lookup_elem(&instances, &cookie) : NULL;
  return instance && instance->flags & flag;
}

static __always_inline int answer4(struct bpf_sock_addr *address) {
  if (!is_enforced(ENFORCE_CONNECTIONS)) return ALLOW;
  __u32 to = address->user_ip4;
  return is_loopback4((__u8 *)&to) ? ALLOW : REFUSE;
}

static __always_inline int answer6(struct bpf_sock_addr *address) {
  if (!is_enforced(ENFORCE_CONNECTIONS)) return ALLOW;
  __u32 to[4] = {address->user_ip6[0], address->user_ip6[1], address->user_ip6[2], address->user_ip6[3]};
  return is_loopback6(to) ? ALLOW : REFUSE;
}

static __always_inline int answer_bind4(struct bpf_sock_addr *address) {
  if (!is_enforced(ENFORCE_LISTENERS)) return ALLOW;
  __u32 at = address->user_ip4;
  return is_reachable4((__u8 *)&at, address->user_port, address->type) ? REFUSE : ALLOW;
}

static __always_inline int answer_bind6(struct bpf_sock_addr *address) {
  if (!is_enforced(ENFORCE_LISTENERS)) return ALLOW;
  __u32 at[4] = {address->user_ip6[0], address->user_ip6[1], address->user_ip6[2], address->user_ip6[3]};
  return is_reachable6(at, address->user_port, address->type) ? REFUSE : ALLOW;
}

SEC("cgroup/connect4") int deny_connect4(struct bpf_sock_addr *address) { return answer4(address); }
SEC("cgroup/connect6") int deny_connect6(struct bpf_sock_addr *address) { return answer6(address); }
SEC("cgroup/sendmsg4") int deny_sendmsg4(struct bpf_sock_addr *address) { return answer4(address); }
SEC("cgroup/sendmsg6") int deny_sendmsg6(struct bpf_sock_addr *address) { return answer6(address); }
SEC("cgroup/bind4") int deny_bind4(struct bpf_sock_addr *address) { return answer_bind4(address); }
SEC("cgroup/bind6") int deny_bind6(struct bpf_sock_addr *address) { return answer_bind6(address); }
