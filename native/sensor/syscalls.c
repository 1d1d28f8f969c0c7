#include "syscalls.h"

#include <string.h>

enum { NONE = -1, CWD = WORKING_DIRECTORY };

/* Bits of the arguments, from 1, that are told as numbers. */
#define NUMBER(position) (1 << ((position)-1))
#define FIRST_2 (NUMBER(1) | NUMBER(2))
#define FIRST_3 (FIRST_2 | NUMBER(3))

struct described {
  const char *name;
  int number, number32;
  struct rule rule;
};

#define RULE(kind, how, ...) {.type = EVENT_##kind, .shape = SHAPE_##how, __VA_ARGS__}

/* A name may stand twice: 32-bit calls of users and groups have an older form with 16-bit numbers. */
static const struct described table[] = {
    {"open", 2, 5, RULE(open, OPEN, .path = 1, .value = 2)},
    {"openat", 257, 295, RULE(open, OPEN, .path = 2, .directory = 1, .value = 3)},
    {"openat2", 437, 437, RULE(open, OPEN, .path = 2, .directory = 1, .pointed_value = 3)},
    {"creat", 85, 8, RULE(open, OPEN, .path = 1, .fixed_open_flags = 1)},
    {"open_by_handle_at", 304, 342, RULE(open_by_handle_at, HANDLE, .numbers = NUMBER(1) | NUMBER(3))},

    {"connect", 42, 362, RULE(connect, ADDRESS, .address = 2, .length = 3)},
    {"bind", 49, 361, RULE(bind, ADDRESS, .address = 2, .length = 3)},
    {"sendto", 44, 369, RULE(sendto, ADDRESS, .address = 5, .length = 6)},
    {"sendmsg", 46, 370, RULE(sendto, MESSAGE)},
    {"sendmmsg", 307, 345, RULE(sendto, MESSAGES)},
    {"listen", 50, 363, RULE(listen, SOCKET)},
    {"accept", 43, NONE, RULE(accept, ACCEPTED)},
    {"accept4", 288, 364, RULE(accept, ACCEPTED)},
    {"dup", 32, 41, RULE(dup, DUPLICATE)},
    {"dup2", 33, 63, RULE(dup, DUPLICATE)},
    {"dup3", 292, 330, RULE(dup, DUPLICATE)},
    {"fcntl", 72, 55, RULE(dup, DUPLICATE, .value = 2)},
    {"fcntl64", NONE, 221, RULE(dup, DUPLICATE, .value = 2)},
    {"socket", 41, 359, RULE(socket, NEW_SOCKET, .numbers = FIRST_3)},
    {"socketcall", NONE, 102, RULE(connect, SOCKETCALL)},

    {"unlink", 87, 10, RULE(unlink, FILE, .path = 1, .directory = CWD)},
    {"unlinkat", 263, 301, RULE(unlink, FILE, .path = 2, .directory = 1)},
    {"rmdir", 84, 40, RULE(unlink, FILE, .path = 1, .directory = CWD)},
    {"rename", 82, 38, RULE(rename, FILE, .path = 1, .target = 2, .directory = CWD, .target_directory = CWD)},
    {"renameat", 264, 302, RULE(rename, FILE, .path = 2, .target = 4, .directory = 1, .target_directory = 3)},
    {"renameat2", 316, 353, RULE(rename, FILE, .path = 2, .target = 4, .directory = 1, .target_directory = 3)},
    {"link", 86, 9, RULE(link, FILE, .path = 1, .target = 2, .directory = CWD, .target_directory = CWD)},
    {"linkat", 265, 303, RULE(link, FILE, .path = 2, .target = 4, .directory = 1, .target_directory = 3)},
    /* A symbolic link's content is relative to the link itself. */
    {"symlink", 88, 83, RULE(symlink, FILE, .path = 1, .target = 2, .target_directory = CWD)},
    {"symlinkat", 266, 304, RULE(symlink, FILE, .path = 1, .target = 3, .target_directory = 2)},
    {"mkdir", 83, 39, RULE(mkdir, FILE, .path = 1, .directory = CWD, .value = 2)},
    {"mkdirat", 258, 296, RULE(mkdir, FILE, .path = 2, .directory = 1, .value = 3)},
    {"chmod", 90, 15, RULE(chmod, FILE, .path = 1, .directory = CWD, .value = 2)},
    {"fchmodat", 268, 306, RULE(chmod, FILE, .path = 2, .directory = 1, .value = 3)},
    {"fchmodat2", 452, 452, RULE(chmod, FILE, .path = 2, .directory = 1, .value = 3)},
    {"fchmod", 91, 94, RULE(chmod, DESCRIPTOR, .descriptor = 1, .value = 2)},
    {"chown", 92, 182, RULE(chown, FILE, .path = 1, .directory = CWD, .numbers = NUMBER(2) | NUMBER(3))},
    {"chown32", NONE, 212, RULE(chown, FILE, .path = 1, .directory = CWD, .numbers = NUMBER(2) | NUMBER(3))},
    {"lchown", 94, 16, RULE(chown, FILE, .path = 1, .directory = CWD, .numbers = NUMBER(2) | NUMBER(3))},
    {"lchown32", NONE, 198, RULE(chown, FILE, .path = 1, .directory = CWD, .numbers = NUMBER(2) | NUMBER(3))},
    {"fchownat", 260, 298, RULE(chown, FILE, .path = 2, .directory = 1, .numbers = NUMBER(3) | NUMBER(4))},
    {"fchown", 93, 95, RULE(chown, DESCRIPTOR, .descriptor = 1, .numbers = NUMBER(2) | NUMBER(3))},
    {"fchown32", NONE, 207, RULE(chown, DESCRIPTOR, .descriptor = 1, .numbers = NUMBER(2) | NUMBER(3))},

    {"truncate", 76, 92, RULE(truncate, FILE, .path = 1, .directory = CWD, .value = 2)},
    {"truncate64", NONE, 193, RULE(truncate, FILE, .path = 1, .directory = CWD, .value = 2)},
    {"ftruncate", 77, 93, RULE(truncate, SIZE, .descriptor = 1, .value = 2)},
    {"ftruncate64", NONE, 194, RULE(truncate, SIZE, .descriptor = 1, .value = 2)},
    {"mknod", 133, 14, RULE(mknod, FILE, .path = 1, .directory = CWD, .value = 2, .numbers = NUMBER(3))},
    {"mknodat", 259, 297, RULE(mknod, FILE, .path = 2, .directory = 1, .value = 3, .numbers = NUMBER(4))},
    {"setxattr", 188, 226, RULE(setxattr, FILE, .path = 1, .directory = CWD, .detail = 2)},
    {"lsetxattr", 189, 227, RULE(setxattr, FILE, .path = 1, .directory = CWD, .detail = 2)},
    {"fsetxattr", 190, 228, RULE(setxattr, DESCRIPTOR, .descriptor = 1, .detail = 2)},
    {"setxattrat", 463, 463, RULE(setxattr, FILE, .path = 2, .directory = 1, .detail = 4)},
    {"removexattr", 197, 235, RULE(setxattr, FILE, .path = 1, .directory = CWD, .detail = 2)},
    {"lremovexattr", 198, 236, RULE(setxattr, FILE, .path = 1, .directory = CWD, .detail = 2)},
    {"fremovexattr", 199, 237, RULE(setxattr, DESCRIPTOR, .descriptor = 1, .detail = 2)},
    {"removexattrat", 466, 466, RULE(setxattr, FILE, .path = 2, .directory = 1, .detail = 4)},
    {"execve", 59, 11, RULE(open, EXEC, .path = 1, .directory = CWD)},
    {"execveat", 322, 358, RULE(open, EXEC, .path = 2, .directory = 1)},

    {"setuid", 105, 213, RULE(setuid, NUMBERS, .numbers = NUMBER(1))},
    {"setuid16", NONE, 23, RULE(setuid, NUMBERS, .numbers = NUMBER(1))},
    {"setgid", 106, 214, RULE(setuid, NUMBERS, .numbers = NUMBER(1))},
    {"setgid16", NONE, 46, RULE(setuid, NUMBERS, .numbers = NUMBER(1))},
    {"setreuid", 113, 203, RULE(setuid, NUMBERS, .numbers = FIRST_2)},
    {"setreuid16", NONE, 70, RULE(setuid, NUMBERS, .numbers = FIRST_2)},
    {"setregid", 114, 204, RULE(setuid, NUMBERS, .numbers = FIRST_2)},
    {"setregid16", NONE, 71, RULE(setuid, NUMBERS, .numbers = FIRST_2)},
    {"setresuid", 117, 208, RULE(setuid, NUMBERS, .numbers = FIRST_3)},
    {"setresuid16", NONE, 164, RULE(setuid, NUMBERS, .numbers = FIRST_3)},
    {"setresgid", 119, 210, RULE(setuid, NUMBERS, .numbers = FIRST_3)},
    {"setresgid16", NONE, 170, RULE(setuid, NUMBERS, .numbers = FIRST_3)},
    {"setfsuid", 122, 215, RULE(setuid, NUMBERS, .numbers = NUMBER(1))},
    {"setfsuid16", NONE, 138, RULE(setuid, NUMBERS, .numbers = NUMBER(1))},
    {"setfsgid", 123, 216, RULE(setuid, NUMBERS, .numbers = NUMBER(1))},
    {"setfsgid16", NONE, 139, RULE(setuid, NUMBERS, .numbers = NUMBER(1))},
    {"setgroups", 116, 206, RULE(setuid, NUMBERS, .numbers = NUMBER(1))},
    {"setgroups16", NONE, 81, RULE(setuid, NUMBERS, .numbers = NUMBER(1))},
    {"capset", 126, 185, RULE(capset, CAPABILITIES)},

    {"memfd_create", 319, 356, RULE(memfd, PATHS, .path = 1, .numbers = NUMBER(2))},
    {"memfd_secret", 447, 447, RULE(memfd, NUMBERS, .numbers = NUMBER(1))},
    {"mount", 165, 21, RULE(mount, PATHS, .path = 1, .target = 2, .target_directory = CWD, .detail = 3, .value = 4)},
    {"move_mount", 429, 429, RULE(mount, PATHS, .path = 2, .target = 4, .directory = 1, .target_directory = 3, .value = 5)},
    {"mount_setattr", 442, 442, RULE(mount, PATHS, .target = 2, .target_directory = 1, .value = 3)},
    {"open_tree", 428, 428, RULE(mount, PATHS, .path = 2, .directory = 1, .value = 3)},
    {"fsopen", 430, 430, RULE(mount, PATHS, .detail = 1, .value = 2)},
    {"fsmount", 432, 432, RULE(mount, NUMBERS, .numbers = FIRST_3)},
    {"umount", NONE, 22, RULE(umount, PATHS, .target = 1, .target_directory = CWD)},
    {"umount2", 166, 52, RULE(umount, PATHS, .target = 1, .target_directory = CWD, .value = 2)},
    {"pivot_root", 155, 217, RULE(pivot_root, PATHS, .path = 1, .target = 2)},
    {"chroot", 161, 61, RULE(chroot, PATHS, .path = 1, .directory = CWD)},

    {"kill", 62, 37, RULE(kill, SIGNAL, .tid = 1, .value = 2, .numbers = FIRST_2)},
    {"tkill", 200, 238, RULE(kill, SIGNAL, .tid = 1, .value = 2, .numbers = FIRST_2)},
    {"tgkill", 234, 270, RULE(kill, SIGNAL, .tid = 1, .value = 3, .numbers = FIRST_3)},
    {"rt_sigqueueinfo", 129, 178, RULE(kill, SIGNAL, .tid = 1, .value = 2, .numbers = FIRST_2)},
    {"rt_tgsigqueueinfo", 297, 335, RULE(kill, SIGNAL, .tid = 1, .value = 3, .numbers = FIRST_3)},
    {"pidfd_send_signal", 424, 424, RULE(kill, SIGNAL, .descriptor = 1, .value = 2, .numbers = FIRST_2)},
    {"ptrace", 101, 26, RULE(ptrace, TARGET, .tid = 2, .numbers = FIRST_2)},
    {"process_vm_writev", 311, 348, RULE(process_vm_writev, TARGET, .tid = 1, .numbers = NUMBER(1))},

    {"process_vm_readv", 310, 347, RULE(process_vm_readv, TARGET, .tid = 1, .numbers = NUMBER(1))},
    {"pidfd_getfd", 438, 438, RULE(pidfd_getfd, TARGET, .descriptor = 1, .numbers = FIRST_2)},

    {"setns", 308, 346, RULE(setns, NUMBERS, .numbers = FIRST_2)},
    {"unshare", 272, 310, RULE(unshare, NUMBERS, .numbers = NUMBER(1))},
    {"init_module", 175, 128, RULE(module, NUMBERS, .numbers = NUMBER(2))},
    {"finit_module", 313, 350, RULE(module, DESCRIPTOR, .descriptor = 1, .numbers = NUMBER(1) | NUMBER(3))},
    {"delete_module", 176, 129, RULE(module, PATHS, .path = 1, .numbers = NUMBER(2))},
    {"bpf", 321, 357, RULE(bpf, NUMBERS, .numbers = NUMBER(1))},
    {"keyctl", 250, 288, RULE(keyctl, NUMBERS, .numbers = NUMBER(1))},
    {"add_key", 248, 286, RULE(keyctl, PATHS, .path = 2, .detail = 1)},
    {"request_key", 249, 287, RULE(keyctl, PATHS, .path = 2, .detail = 1)},
    {"io_uring_setup", 425, 425, RULE(io_uring_setup, NUMBERS, .numbers = NUMBER(1))},
    {"userfaultfd", 323, 374, RULE(userfaultfd, NUMBERS, .numbers = NUMBER(1))},
    {"perf_event_open", 298, 336, RULE(perf_event_open, NUMBERS, .numbers = NUMBER(2) | NUMBER(3) | NUMBER(4) | NUMBER(5))},
};

/* The numbers of socketcall(2), <linux/net.h>. */
static const struct {
  uint16_t call;
  const char *name;
} socketcall_names[] = {
    {1, "socket"}, {2, "bind"}, {3, "connect"}, {4, "listen"}, {5, "accept4"}, {11, "sendto"}, {16, "sendmsg"}, {18, "accept4"}, {20, "sendmmsg"},
};

static const char *names[2][SYSCALLS];

static int number_32_of(const char *name) {
  for (size_t index = 0; index < sizeof table / sizeof *table; index++)
    if (strcmp(table[index].name, name) == 0) return table[index].number32;
  return 0;
}

void syscalls_fill(struct rule rules[2][SYSCALLS], uint16_t socketcalls[32]) {
  for (size_t index = 0; index < sizeof table / sizeof *table; index++) {
    const struct described *call = &table[index];
    const int numbers[2] = {call->number, call->number32};
    for (int compat = 0; compat < 2; compat++) {
      if (numbers[compat] == NONE) continue;
      rules[compat][numbers[compat]] = call->rule;
      names[compat][numbers[compat]] = call->name;
    }
  }
  for (size_t index = 0; index < sizeof socketcall_names / sizeof *socketcall_names; index++)
    socketcalls[socketcall_names[index].call] = (uint16_t)number_32_of(socketcall_names[index].name);
}

const char *syscall_name(unsigned number, bool compat) { return number < SYSCALLS ? names[compat][number] : NULL; }
