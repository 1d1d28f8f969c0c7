/* Processes: joining cgroups, spawning, and signals that cannot hit the wrong one. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
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

struct spawning {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t files;
};

static int prepare(struct spawning *spawning) {
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  int error = posix_spawnattr_setsigmask(&spawning->attributes, &none);
  if (!error) error = posix_spawnattr_setsigdefault(&spawning->attributes, &all);
  short flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (!error) error = posix_spawnattr_setflags(&spawning->attributes, flags);
  if (!error) error = posix_spawn_file_actions_addopen(&spawning->files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (!error) error = posix_spawn_file_actions_addopen(&spawning->files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  /* Libraries open descriptors without close-on-exec: none but the three may get through. */
  if (!error) error = posix_spawn_file_actions_addclosefrom_np(&spawning->files, STDERR_FILENO + 1);
  if (!error) error = posix_spawn_file_actions_addchdir_np(&spawning->files, "/");
  return error;
}

static int spawn(char *const *arguments, pid_t *pid) {
  struct spawning spawning;
  int error = posix_spawnattr_init(&spawning.attributes);
  if (error) return error;
  error = posix_spawn_file_actions_init(&spawning.files);
  if (!error) {
    error = prepare(&spawning);
    /* The daemon's environment may hold a secret: of all of it, only PATH is passed on. */
    char path[PATH_MAX] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    const char *own = getenv("PATH");
    if (own && strlen(own) < sizeof path - 5) strcpy(path + 5, own);
    /* glibc's posix_spawn is a CLONE_VFORK | CLONE_VM: no page table is copied. */
    if (!error) error = posix_spawn(pid, arguments[0], &spawning.files, &spawning.attributes, arguments, (char *[]){path, NULL});
    posix_spawn_file_actions_destroy(&spawning.files);
  }
  posix_spawnattr_destroy(&spawning.attributes);
  return error;
}

int spawn_program(const struct call *call, struct failure *failure) {
  const char *program = call->argument[0];
  if (program[0] != '/') return fail_as(failure, EINVAL, "spawning %.200s: not an absolute path", program);
  char **arguments = calloc(call->arguments + 1, sizeof *arguments);
  if (!arguments) return fail(failure, "spawning %s", program);
  memcpy(arguments, call->argument, call->arguments * sizeof *arguments);
  pid_t pid;
  int error = spawn(arguments, &pid);
  free(arguments);
  if (error) {
    errno = error;
    return fail(failure, "spawning %s", program);
  }
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
