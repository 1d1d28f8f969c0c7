/*
 * What the eBPF programs and the program that loads them share: the shape of a record in the ring, of a rule for a system call, and of the maps' values.
 * Included by both sides; integers are of fixed size on purpose.
 */
#pragma once

#ifndef __VMLINUX_H__ /* there, the kernel's own types have them */
#include <linux/types.h>
#endif

#define SENSOR_EVENTS(X)                                                                                                                             \
  X(exec) X(fork) X(exit) X(open) X(connect) X(bind) X(listen) X(accept) X(sendto) X(dup) X(unlink) X(rename) X(link) X(symlink) X(mkdir) X(chmod)   \
  X(chown) X(setuid) X(capset) X(memfd) X(mount) X(umount) X(ptrace) X(kill) X(process_vm_writev) X(socket) X(setns) X(unshare) X(pivot_root)        \
  X(chroot) X(module) X(bpf) X(keyctl) X(io_uring_setup) X(io_uring) X(userfaultfd) X(perf_event_open) X(open_by_handle_at)                        \
  X(truncate) X(mknod) X(setxattr) X(process_vm_readv) X(pidfd_getfd)

enum event_type {
  EVENT_NONE,
#define X(name) EVENT_##name,
  SENSOR_EVENTS(X)
#undef X
  EVENT_TYPES,
  /* No event of the workload's: a pid namespace that nobody registered has been given a cookie. */
  EVENT_STRANGER = EVENT_TYPES,
  EVENT_SLOTS = 64, /* of counters, a power of two */
};

/* KernelEventFlag, in its order. */
enum event_flag {
  IS_UPPER = 1 << 0,
  IS_MEMFD = 1 << 1,
  IS_DENIED = 1 << 2,
  WOULD_DENY = 1 << 3,
  IS_TRUNCATED = 1 << 4,
  IS_SENSITIVE = 1 << 5,
  IS_WRITE = 1 << 6,
  IS_COMPAT = 1 << 7,
  IS_UNREAD = 1 << 8,
  IS_USER = 1 << 9,
  /* Not told: the last process of a stranger's namespace, the namespace's own init, ended. */
  ENDS_NAMESPACE = 1 << 15,
};

/* What a path is watched for; the MAYBE ones when its pattern has a `*` in it, which only the loader can compare. */
enum interest {
  SENSITIVE = 1 << 0,
  WRITE_WATCHED = 1 << 1,
  MAYBE_SENSITIVE = 1 << 2,
  MAYBE_WRITE_WATCHED = 1 << 3,
};

/* The texts of a record, which follow it in this order, not ended by NUL. */
enum text {
  TEXT_PATH,
  TEXT_TARGET,           /* of exec: the resolved program */
  TEXT_DIRECTORY,        /* where a relative path starts; of exec: the working directory */
  TEXT_TARGET_DIRECTORY, /* where a relative target starts */
  TEXT_DETAIL,           /* of exec: the arguments, each ended by NUL */
  TEXTS,
};

enum {
  PATH_ROOM = 4096,
  ARGUMENTS = 6,
  COMM = 16,
  PATTERN_ROOM = 128,
  FILTER_WORDS = 64,
};

struct exec_facts {
  __u64 arguments_length, arguments_count;
  /* The file that tells one program from another: below an overlay where that can be known. */
  __u64 device, inode, changed_s, size;
  /* As stat(2) of the program says. size: ALL_ONES where reading it could wait for somebody. */
  __u64 seen_inode;
  __u32 changed_ns, tty, session, group;
};

struct fork_facts {
  __u64 start;
  __u32 child, child_vpid;
};

struct socket_facts {
  __u16 family, protocol, local_port, remote_port; /* host's byte order */
  __u8 local[16], remote[16];
};

struct open_facts {
  __u64 flags;
  __u32 mode; /* 0: was there before */
  __u16 interest;
  __u16 certain; /* 0: only told when a pattern of the MAYBE kinds fits */
};

struct target_facts {
  __u64 cookie;
  __u32 pid;
};

struct stranger_facts {
  __u64 cgroup;
  __u32 namespace;
};

struct event {
  __u32 length; /* with its texts */
  __u32 tid;
  __u64 boot; /* ns, CLOCK_BOOTTIME, as all times here */
  /* From here on, with the texts, what is the same in two records makes one a repeat of the other. */
  __u64 cookie;
  __u64 start, parent_start;
  __u16 type, flags, syscall, numbers; /* numbers: which of the arguments are told, a bit each */
  __u32 pid, vpid, parent_pid, parent_vpid, uid, euid, gid, reserved_word;
  __s64 result;
  char name[COMM], parent_name[COMM];
  __u64 arguments[ARGUMENTS];
  __u64 value; /* mode of chmod, mkdir and mknod, flags of mount, capabilities, io_uring operation, size of truncate */
  __u16 text[TEXTS], reserved[3];
  union {
    struct exec_facts exec;
    struct fork_facts fork;
    struct socket_facts socket;
    struct open_facts open;
    struct target_facts target;
    struct stranger_facts stranger;
    __u64 zero[10];
  };
};

/* How a system call is read at its end. */
enum shape {
  SHAPE_NUMBERS,
  SHAPE_OPEN,
  SHAPE_HANDLE,
  SHAPE_ADDRESS,
  SHAPE_MESSAGE,
  SHAPE_SOCKET,
  SHAPE_ACCEPTED,
  SHAPE_DUPLICATE,
  SHAPE_NEW_SOCKET,
  SHAPE_FILE,    /* paths; only told when it succeeds or was not allowed */
  SHAPE_PATHS,   /* paths; always told */
  SHAPE_DESCRIPTOR, /* of an open file */
  SHAPE_SIGNAL,
  SHAPE_TARGET, /* ptrace, process_vm_writev */
  SHAPE_CAPABILITIES,
  SHAPE_SOCKETCALL,
  SHAPE_MESSAGES, /* sendmmsg */
  SHAPE_SIZE,     /* ftruncate: of an open file, where it is watched */
  SHAPE_EXEC,     /* of those that were not allowed */
};

/* Which argument holds what, from 1; 0: none. */
struct rule {
  __u8 type, shape;
  __u8 path, target, directory, target_directory, detail; /* directories: WORKING_DIRECTORY for calls that have no such argument */
  __u8 value, pointed_value; /* pointed: the first 8 bytes of what the argument points to */
  __u8 descriptor, address, length;
  __u8 numbers;
  __u8 tid; /* which argument is a process; from 1 */
  __u8 fixed_open_flags; /* creat(2) */
  __u8 reserved;
};

enum { SYSCALLS = 512, WORKING_DIRECTORY = 255 };

/* Of an instance; see PROTOCOL.md. */
enum instance_flag {
  ALL_OPENS = 1,
  AUDIT_DROPPED = 2,
  ENFORCE_DROPPED = 4,
  AUDIT_CONNECTIONS = 8,
  ENFORCE_CONNECTIONS = 16,
  AUDIT_SCRIPTS = 32,
  ENFORCE_SCRIPTS = 64,
  AUDIT_LISTENERS = 128,
  ENFORCE_LISTENERS = 256,
  EVERY_FLAG = 511,
};

enum counter { EMITTED, DROPPED, FILTERED, COUNTERS };

/* Of the two kinds of records that have a share of the ring each. */
enum share { SHARE_ORDINARY, SHARE_VITAL, SHARES };

struct instance {
  __u32 flags;
  __u32 stranger;
  /* Bytes that it has sent since the ring has become full, by kind, and which time that was. */
  __u64 pressed[SHARES], pressure;
  __u64 counts[COUNTERS][EVENT_SLOTS];
};

struct registration {
  __u64 cookie;
  /* Of strangers: when the namespace's first process began, since inodes are used again. 0: not compared. */
  __u64 began;
};

/* Of a task. */
struct member {
  __u64 cookie;  /* when it has no pid namespace of its own; 0: of nobody */
  __u32 sets_up; /* the runtime's, as long as it has not called exec */
  __u32 reserved;
};

/* An open by execve(2) that the loader is asked about: whose it is, and what kind of file. */
struct program_question {
  __u64 cookie;
  __u32 task, file; /* number and descriptor, as the loader has them */
  __u32 instance_flags, origin;
};

/* What the loader has a program of the kernel do for it: only there can flags change beside counters that grow. */
struct flag_change {
  __u64 cookie;
  __u32 flags, found;
};

struct path_key {
  __u32 bits;
  char path[PATTERN_ROOM];
};

/* The first bytes and the length of a name, as one of the bits of the name filter. */
static inline __u32 name_filter_bit(__u64 first_bytes, __u32 length) {
  if (length < sizeof first_bytes) first_bytes &= (1ULL << (length * 8)) - 1;
  return ((first_bytes + length) * 0x9E3779B97F4A7C15ULL) >> 52;
}

/* Cookies from here on are the kernel's own choice. */
#define FIRST_STRANGER (1ULL << 52)
