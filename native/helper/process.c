/* Processes: joining cgroups, spawning, and signals that cannot hit the wrong one. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "operations.h"
#include "wire/wire.h"

int join_cgroup(const struct call *call, struct failure *failure) {
  for (size_t i = 0; i < call->arguments; i++) {
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s/cgroup.procs", call->argument[i]) >= sizeof path) {
      return fail_as(failure, ENAMETOOLONG, "joining the cgroup %.200s: its name is too long", call->argument[i]);
    }
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return fail(failure, "opening %s", path);
    if (write(fd, "0", 1) != 1) {
      fail(failure, "writing 0 to %s", path);
      close(fd);
      return -1;
    }
    close(fd);
  }
  return answer(call, NULL, NULL);
}

/* Field 22 of /proc/PID/stat. -1 with errno; ESRCH when there is no such process. */
static int start_time(pid_t pid, unsigned long long *ticks) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) errno = ESRCH;
    return -1;
  }
  ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  if (got < 0) return -1;
  text[got] = 0;
  /* The second field is the program's name in parentheses and may itself contain blanks and parentheses. */
  const char *at = strrchr(text, ')');
  for (int field = 2; at && field < 22; field++) {
    at = strchr(at, ' ');
    if (at) at++;
  }
  if (!at || sscanf(at, "%llu", ticks) != 1) return errno = EPROTO, -1;
  return 0;
}

/* What the child is told and tells. It runs in our memory while we wait. */
struct spawning {
  char *const *arguments;
  char *const *environment;
  int log; /* becomes its stderr; -1: it keeps ours */
  int error; /* errno of what it could not do; 0: it has become the program */
};

/* By the system call itself: the C library refuses to touch two signals of its own, which a parent may have set to be ignored. */
static void reset_signals(void) {
  const struct {
    unsigned long handler, flags, restorer, mask;
  } by_default = {0};
  for (int number = 1; number <= 64; number++) syscall(SYS_rt_sigaction, number, &by_default, NULL, sizeof by_default.mask);
}

/* Only system calls: it shares memory with a process whose other thread goes on. */
static int run_child(void *argument) {
  struct spawning *spawning = argument;
  reset_signals();
  int null = open("/dev/null", O_RDWR);
  /* Libraries open descriptors without close-on-exec: none but the three may get through. */
  if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
      (spawning->log < 0 || dup2(spawning->log, STDERR_FILENO) >= 0) && close_range(STDERR_FILENO + 1, ~0u, 0) == 0 && setsid() >= 0 && chdir("/") == 0) {
    unsigned long none = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
    execve(spawning->arguments[0], spawning->arguments, spawning->environment);
  }
  spawning->error = errno;
  _exit(127);
}

/* Like vfork, with a stack of its own: no page table is copied, however large this process is. Returns the pid, or -1 with errno. */
static pid_t spawn(char *const *arguments, int log) {
  static _Alignas(16) char stack[64 * 1024];
  /* The daemon's environment may hold a secret: of all of it, only PATH is passed on. */
  char path[PATH_MAX] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const char *own = getenv("PATH");
  if (own) snprintf(path, sizeof path, "PATH=%s", own);
  struct spawning spawning = {.arguments = arguments, .environment = (char *[]){path, NULL}, .log = log};

  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before); /* no handler of ours may run in the child */
  pid_t pid = clone(run_child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &spawning);
  int error = pid < 0 ? errno : spawning.error;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!error) return pid;
  errno = error;
  return -1;
}

static int spawn_and_answer(const struct call *call, size_t first, int log, struct failure *failure) {
  const char *program = call->argument[first];
  if (program[0] != '/') return fail_as(failure, EINVAL, "spawning %.200s: not an absolute path", program);
  size_t count = call->arguments - first;
  char **arguments = calloc(count + 1, sizeof *arguments);
  if (!arguments) return fail(failure, "spawning %s", program);
  memcpy(arguments, call->argument + first, count * sizeof *arguments);
  pid_t pid = spawn(arguments, log);
  free(arguments);
  if (pid < 0) return fail(failure, "spawning %s", program);
  unsigned long long ticks;
  if (start_time(pid, &ticks) < 0) {
    fail(failure, "reading the start time of %s, process %d", program, (int)pid);
    kill(pid, SIGKILL); /* nobody would ever know of it; not reaped yet, so the pid is still its own */
    return -1;
  }
  char identity[64];
  snprintf(identity, sizeof identity, "%d %llu", (int)pid, ticks);
  return answer(call, identity, NULL);
}

int spawn_program(const struct call *call, struct failure *failure) { return spawn_and_answer(call, 0, -1, failure); }

int make_pipe(const struct call *call, struct failure *failure) {
  if (mkfifo(call->argument[0], 0600) < 0 && errno != EEXIST) return fail(failure, "making the named pipe %s", call->argument[0]);
  return answer(call, NULL, NULL);
}

int spawn_logging(const struct call *call, struct failure *failure) {
  const char *path = call->argument[0];
  /* For reading too: the pipe then always has a reader, so that writing to it never fails because the daemon has died. */
  int log = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (log < 0) return fail(failure, "opening the pipe %s", path);
  struct stat status;
  int result = fstat(log, &status) < 0        ? fail(failure, "looking at %s", path)
               : !S_ISFIFO(status.st_mode) ? fail_as(failure, EINVAL, "%.200s is not a named pipe", path)
                                           : spawn_and_answer(call, 1, log, failure);
  close(log);
  return result;
}

int kill_process(const struct call *call, struct failure *failure) {
  uint64_t pid, expected, number;
  if (wire_number(call->argument[0], "pid", 1, INT_MAX, &pid, failure) < 0) return -1;
  if (wire_number(call->argument[1], "start time", 0, UINT64_MAX, &expected, failure) < 0) return -1;
  if (wire_number(call->argument[2], "signal", 0, (uint64_t)SIGRTMAX, &number, failure) < 0) return -1;

  /* The descriptor first: it pins the process, so that what /proc says afterwards is about the one that gets the signal. */
  int fd = pidfd_open((pid_t)pid, 0);
  if (fd < 0) return fail(failure, "opening process %d", (int)pid);
  unsigned long long ticks;
  int result;
  if (start_time((pid_t)pid, &ticks) < 0) {
    result = fail(failure, "reading the start time of process %d", (int)pid);
  } else if (ticks != expected) {
    result = fail_as(failure, ESRCH, "process %d is another one: it started at %llu, not %s", (int)pid, ticks, call->argument[1]);
  } else if (pidfd_send_signal(fd, (int)number, NULL, 0) < 0) {
    result = fail(failure, "sending signal %d to process %d", (int)number, (int)pid);
  } else {
    result = answer(call, NULL, NULL);
  }
  close(fd);
  return result;
}
