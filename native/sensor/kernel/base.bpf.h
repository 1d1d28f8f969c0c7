/* The kernel's types, constants that its type information does not have, and what keeps the verifier content. */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "../event.h"

#define PF_FORKNOEXEC 0x40
#define TS_COMPAT 2 /* thread_info.status: in a 32-bit system call */
#define X32_BIT 0x40000000

#define OVERLAY_MAGIC 0x794c7630
#define TMPFS_MAGIC 0x01021994
#define PIDFS_MAGIC 0x50494446
#define FUSE_MAGIC 0x65735546
#define NFS_MAGIC 0x6969
#define CIFS_MAGIC 0xff534d42
#define SMB2_MAGIC 0xfe534d42
#define NINEP_MAGIC 0x01021997
#define CEPH_MAGIC 0x00c36400
#define AFS_MAGIC 0x5346414f

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define ALL_MODES 07777
#define EXECUTABLE 0111

#define CTIME_QUERIED (1u << 31) /* the kernel's own note in i_ctime_nsec */
#define FMODE_EXEC 040
#define FMODE_WRITE 2
#define FMODE_CREATED (1 << 20)
#define O_CREAT 0100
#define O_EXCL 0200
#define O_TRUNC 01000
#define O_NONBLOCK 04000
#define AT_FDCWD -100

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define AF_PACKET 17
#define AF_VSOCK 40
#define SOCK_RAW 3
#define SOCK_TYPE_MASK 15

#define EPERM 1
#define EACCES 13
#define EROFS 30
#define EINPROGRESS 115
#define SIGKILL 9

/* Bounds a number in a way that the compiler cannot move, so that the verifier sees it. */
#define BOUND(number, most)                                                                                                                          \
  do {                                                                                                                                               \
    asm volatile("" : "+r"(number));                                                                                                                 \
    if ((number) > (most)) (number) = (most);                                                                                                        \
    asm volatile("" : "+r"(number));                                                                                                                 \
  } while (0)
