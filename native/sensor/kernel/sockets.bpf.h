/* Sockets as the kernel has them: both sides of a connection, and of unix sockets their names. */
#pragma once

#include "paths.bpf.h"

enum { ADDRESS_ROOM = 128 }; /* struct sockaddr_storage */

static __always_inline struct socket *socket_of(struct task_struct *task, __u32 descriptor) {
  struct file *file = file_of(task, descriptor);
  if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK) return NULL;
  return BPF_CORE_READ(file, private_data);
}

static __always_inline void add_unix_name(struct scratch *scratch, __u32 text, struct unix_address *address) {
  /* The length of struct sockaddr_un: 2 bytes of family first. Names of files end in a NUL, abstract ones begin with one. */
  int length = BPF_CORE_READ(address, len);
  if (length <= 2) return;
  add_text(scratch, text, (void *)address + bpf_core_field_offset(struct unix_address, name) + 2, length - 2);
}

static __always_inline void add_socket(struct scratch *scratch, struct sock *sock) {
  struct socket_facts *facts = &scratch->event.socket;
  facts->family = BPF_CORE_READ(sock, __sk_common.skc_family);
  facts->protocol = BPF_CORE_READ(sock, sk_protocol);
  if (facts->family == AF_INET || facts->family == AF_INET6) {
    facts->local_port = BPF_CORE_READ(sock, __sk_common.skc_num);
    facts->remote_port = bpf_ntohs(BPF_CORE_READ(sock, __sk_common.skc_dport));
  }
  if (facts->family == AF_INET) {
    bpf_core_read(facts->local, 4, &sock->__sk_common.skc_rcv_saddr);
    bpf_core_read(facts->remote, 4, &sock->__sk_common.skc_daddr);
  } else if (facts->family == AF_INET6) {
    bpf_core_read(facts->local, 16, &sock->__sk_common.skc_v6_rcv_saddr);
    bpf_core_read(facts->remote, 16, &sock->__sk_common.skc_v6_daddr);
  } else if (facts->family == AF_UNIX) {
    struct unix_sock *peer = (void *)BPF_CORE_READ((struct unix_sock *)sock, peer);
    struct unix_address *own = BPF_CORE_READ((struct unix_sock *)sock, addr), *other = peer ? BPF_CORE_READ(peer, addr) : NULL;
    if (own) add_unix_name(scratch, TEXT_PATH, own);
    if (other) add_unix_name(scratch, TEXT_TARGET, other);
  }
}

/* Fills in the other side from the caller's memory, where the kernel keeps none: datagrams, and connections that failed. */
static __always_inline void add_asked_address(struct scratch *scratch, __u64 address, __u64 length) {
  struct socket_facts *facts = &scratch->event.socket;
  __u16 family = 0;
  if (!address || length < sizeof family || bpf_probe_read_user(&family, sizeof family, (void *)address)) return;
  if (family == AF_INET && length >= 8) {
    __u16 port = 0;
    bpf_probe_read_user(&port, sizeof port, (void *)address + 2);
    facts->remote_port = bpf_ntohs(port);
    __builtin_memset(facts->remote, 0, sizeof facts->remote);
    if (facts->family == AF_INET6) { /* as IPv6 shows IPv4 */
      facts->remote[10] = facts->remote[11] = 0xff;
      bpf_probe_read_user(facts->remote + 12, 4, (void *)address + 4);
    } else {
      bpf_probe_read_user(facts->remote, 4, (void *)address + 4);
    }
  } else if (family == AF_INET6 && length >= 24) {
    __u16 port = 0;
    bpf_probe_read_user(&port, sizeof port, (void *)address + 2);
    facts->remote_port = bpf_ntohs(port);
    bpf_probe_read_user(facts->remote, 16, (void *)address + 8);
  } else if (family == AF_UNIX) {
    __u64 at = scratch->used, size = length - 2;
    BOUND(at, TEXT_ROOM - PATH_ROOM);
    BOUND(size, ADDRESS_ROOM);
    if (bpf_probe_read_user(scratch->texts + at, size, (void *)address + 2)) {
      scratch->event.flags |= IS_UNREAD;
      return;
    }
    scratch->event.text[TEXT_TARGET] = size;
    scratch->used = at + size;
  } else {
    return;
  }
  scratch->event.flags |= IS_USER;
}

/* 127/8, ::1, and the addresses of nobody, which mean this host. */
static __always_inline bool is_loopback4(const __u8 *address) { return address[0] == 127 || !(address[0] | address[1] | address[2] | address[3]); }
static __always_inline bool is_loopback6(const __u32 *address) {
  if (address[0] || address[1]) return false;
  if (address[2] == bpf_htonl(0xffff)) return is_loopback4((const __u8 *)&address[3]);
  return !address[2] && (!address[3] || address[3] == bpf_htonl(1));
}

/* What the cgroup programs (enforce.bpf.h) decided or would have. */
static __always_inline void judge_connection(struct subject *subject, struct scratch *scratch) {
  struct event *event = &scratch->event;
  __u32 flags = subject->instance->flags;
  if (!(flags & (AUDIT_CONNECTIONS | ENFORCE_CONNECTIONS))) return;
  __u32 words[4];
  __builtin_memcpy(words, event->socket.remote, sizeof words);
  if (event->socket.family == AF_INET ? is_loopback4(event->socket.remote) : event->socket.family != AF_INET6 || is_loopback6(words)) return;
  if (flags & ENFORCE_CONNECTIONS) {
    if (event->result == -EPERM) event->flags |= IS_DENIED;
  } else {
    event->flags |= WOULD_DENY;
  }
}

/* Whether others than this host's own processes could reach what listens there. For clients, port 0 means any. */
static __always_inline bool is_reachable4(const __u8 *address, __u16 port, __u32 kind) { return address[0] != 127 && (port || kind == SOCK_STREAM); }
static __always_inline bool is_reachable6(const __u32 *address, __u16 port, __u32 kind) {
  if (!address[0] && !address[1] && address[2] == bpf_htonl(0xffff)) return is_reachable4((const __u8 *)&address[3], port, kind);
  return (address[0] || address[1] || address[2] || address[3] != bpf_htonl(1)) && (port || kind == SOCK_STREAM);
}

/* What the cgroup programs decided of a bind, or would have. */
static __always_inline void judge_listener(struct subject *subject, struct scratch *scratch, struct sock *sock, __u64 address) {
  struct event *event = &scratch->event;
  __u32 flags = subject->instance->flags;
  if (!(flags & (AUDIT_LISTENERS | ENFORCE_LISTENERS))) return;
  __u32 words[4], kind = BPF_CORE_READ(sock, sk_type);
  __u16 port = 0; /* as asked for: where it succeeded, the kernel has put one of its choice for 0 */
  bpf_probe_read_user(&port, sizeof port, (void *)address + 2);
  __builtin_memcpy(words, event->socket.local, sizeof words);
  bool reachable = event->socket.family == AF_INET    ? is_reachable4(event->socket.local, port, kind)
                   : event->socket.family == AF_INET6 ? is_reachable6(words, port, kind)
                                                      : false;
  if (!reachable) return;
  if (flags & ENFORCE_LISTENERS) {
    if (event->result == -EPERM) event->flags |= IS_DENIED;
  } else {
    event->flags |= WOULD_DENY;
  }
}

/* A bind that failed: the socket has no address, the caller's memory has the one that was asked for. */
static __always_inline void add_asked_name(struct scratch *scratch, __u64 address, __u64 length) {
  struct socket_facts *facts = &scratch->event.socket;
  if (facts->family != AF_INET && facts->family != AF_INET6) return;
  add_asked_address(scratch, address, length);
  __builtin_memcpy(facts->local, facts->remote, sizeof facts->local);
  __builtin_memset(facts->remote, 0, sizeof facts->remote);
  facts->local_port = facts->remote_port;
  facts->remote_port = 0;
}

/* connect, bind, sendto, sendmsg. */
static __always_inline int on_address(struct subject *subject, struct scratch *scratch, __u32 descriptor, __u64 address, __u64 length) {
  struct socket *socket = socket_of(subject->task, descriptor);
  struct sock *sock = socket ? BPF_CORE_READ(socket, sk) : NULL;
  __u32 type = scratch->event.type;
  if (sock) add_socket(scratch, sock);
  if (type == EVENT_sendto && (!address || !length)) {
    count(subject->instance, FILTERED, type);
    return 0;
  }
  bool known = type == EVENT_bind ? scratch->call.result == 0 : type == EVENT_connect && (scratch->event.socket.remote_port || scratch->event.text[TEXT_TARGET]);
  if (!known && type != EVENT_bind) add_asked_address(scratch, address, length);
  if (type == EVENT_bind) {
    if (!known && sock) add_asked_name(scratch, address, length);
    if (sock) judge_listener(subject, scratch, sock, address);
  } else {
    judge_connection(subject, scratch);
  }
  return submit(scratch, subject);
}

struct user_message {
  __u64 name;
  __u32 name_length;
};
struct user_message32 {
  __u32 name, name_length;
};

static __always_inline int on_message(struct subject *subject, struct scratch *scratch, void *from) {
  __u64 name = 0, length = 0;
  if (scratch->call.compat) {
    struct user_message32 message = {};
    bpf_probe_read_user(&message, sizeof message, from);
    name = message.name;
    length = message.name_length;
  } else {
    struct user_message message = {};
    bpf_probe_read_user(&message, sizeof message, from);
    name = message.name;
    length = message.name_length;
  }
  return on_address(subject, scratch, argument(scratch, 1), name, length);
}

/* As the kernel bounds them (UIO_MAXIOV), and how far their headers lie apart. */
enum { MOST_MESSAGES = 1024, MESSAGE_SIZE = 64, MESSAGE_SIZE_32 = 32 };

struct messages {
  struct subject *subject;
  struct scratch *scratch;
  const volatile struct rule *rule;
};

static long on_each_message(__u32 index, struct messages *messages) {
  struct subject subject = *messages->subject;
  struct scratch *scratch = messages->scratch;
  if (!begin_call(&subject, messages->rule)) return 1;
  scratch->event.arguments[0] = argument(scratch, 1);
  on_message(&subject, scratch, (void *)argument(scratch, 2) + index * (scratch->call.compat ? MESSAGE_SIZE_32 : MESSAGE_SIZE));
  return 0;
}

/* sendmmsg: an event for each message that was sent, of one that failed for the first. */
static __always_inline int on_messages(struct subject *subject, struct scratch *scratch, const volatile struct rule *rule) {
  struct messages messages = {.subject = subject, .scratch = scratch, .rule = rule};
  __s64 sent = scratch->call.result;
  bpf_loop(sent < 1 ? 1 : sent > MOST_MESSAGES ? MOST_MESSAGES : sent, on_each_message, &messages, 0);
  return 0;
}

/* listen, accept, dup: the socket of a descriptor. */
static __always_inline int on_socket(struct subject *subject, struct scratch *scratch, __s64 descriptor) {
  struct socket *socket = descriptor < 0 ? NULL : socket_of(subject->task, descriptor);
  if (!socket) {
    count(subject->instance, FILTERED, scratch->event.type);
    return 0;
  }
  struct sock *sock = BPF_CORE_READ(socket, sk);
  if (sock) add_socket(scratch, sock);
  return submit(scratch, subject);
}

static __always_inline int on_new_socket(struct subject *subject, struct scratch *scratch) {
  __u32 domain = argument(scratch, 1), kind = argument(scratch, 2) & SOCK_TYPE_MASK;
  if (domain != AF_PACKET && domain != AF_NETLINK && domain != AF_VSOCK && kind != SOCK_RAW) {
    count(subject->instance, FILTERED, EVENT_socket);
    return 0;
  }
  return submit(scratch, subject);
}
