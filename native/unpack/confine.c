#include "confine.h"

#include "failure.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the system call filter knows x86-64 and AArch64"
#endif

// A sanitizer needs calls (and address space) that the product does not have.
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

enum { NOBODY = 65534, MEMORY = 768 << 20, FILES = 8192, MOST_CALLS = 64 };

static void limit(int resource, rlim_t most) {
  struct rlimit old;
  getrlimit(resource, &old);
  struct rlimit wanted = {.rlim_cur = most, .rlim_max = most};
  if (old.rlim_max < most) wanted.rlim_cur = wanted.rlim_max = old.rlim_max;
  if (setrlimit(resource, &wanted)) fail_host("cannot limit a resource: %s", strerror(errno));
}

void confine_process(void) {
  pid_t parent = getppid();
  if (prctl(PR_SET_PDEATHSIG, SIGKILL)) fail_host("cannot bind to the parent: %s", strerror(errno));
  if (getppid() != parent) _exit(EXIT_HOST);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) fail_host("cannot renounce privileges: %s", strerror(errno));
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, FILES); // a folder to remove may be as deep as a path is long
  if (!SANITIZED) limit(RLIMIT_AS, MEMORY);
  signal(SIGPIPE, SIG_IGN);
  umask(0);
}

static void keep_capabilities(const int *kept, size_t count) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {0};
  for (size_t i = 0; i < count; i++) {
    data[CAP_TO_INDEX(kept[i])].effective |= CAP_TO_MASK(kept[i]);
    data[CAP_TO_INDEX(kept[i])].permitted |= CAP_TO_MASK(kept[i]);
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (syscall(SYS_capset, &header, data)) fail_host("cannot drop capabilities (it must run as root): %s", strerror(errno));
}

// Any other call ends the process: a hole is being used. `nodes`: also mknodat, but of no device other than 0:0.
static void allow_calls(const int *calls, size_t count, bool nodes) {
  if (SANITIZED) return;
  struct sock_filter filter[MOST_CALLS + 16];
  size_t length = 0;
  filter[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
  filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
  filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  filter[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  if (nodes) {
    filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mknodat, 0, 4);
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[3])); // little-endian: the low half
    filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  }
  for (size_t i = 0; i < count; i++)
    filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i], (unsigned char)(count - i), 0);
  filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {.len = (unsigned short)length, .filter = filter};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) fail_host("cannot filter system calls: %s", strerror(errno));
}

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MEMORY_CALLS SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise, SYS_mprotect, SYS_futex, SYS_getrandom
#define BASIC_CALLS SYS_read, SYS_write, SYS_close, SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_restart_syscall, SYS_rt_sigprocmask

void confine_decompressor(void) {
  if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
    fail_host("cannot drop to nobody (it must run as root): %s", strerror(errno));
  keep_capabilities(NULL, 0);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL)) fail_host("cannot bind to the parent: %s", strerror(errno)); // a change of ids clears it
  static const int calls[] = {BASIC_CALLS, MEMORY_CALLS};
  allow_calls(calls, COUNT(calls), false);
}

void confine_writer(int folder) {
  if (fchdir(folder) || chroot(".")) fail_host("cannot make the folder its root: %s", strerror(errno));
  // SYS_ADMIN is for trusted.* xattrs, MKNOD for whiteouts, SETFCAP for file capabilities, FSETID keeps setgid bits.
  static const int kept[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_SETFCAP, CAP_MKNOD, CAP_SYS_ADMIN};
  keep_capabilities(kept, COUNT(kept));
  static const int calls[] = {
      BASIC_CALLS,   MEMORY_CALLS,   SYS_openat,    SYS_openat2,   SYS_getdents64, SYS_lseek,  SYS_fstat,    SYS_newfstatat, SYS_mkdirat,
      SYS_linkat,    SYS_symlinkat,  SYS_unlinkat,  SYS_fchown,    SYS_fchownat,   SYS_fchmod, SYS_fchmodat, SYS_utimensat,  SYS_fsetxattr,
      SYS_lsetxattr, SYS_ftruncate,  SYS_fchdir,    SYS_syncfs,    SYS_wait4,      SYS_fcntl,   SYS_ppoll,
  };
  _Static_assert(COUNT(calls) <= MOST_CALLS, "the filter has room");
  allow_calls(calls, COUNT(calls), true);
}
