#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAP_SIZE_MAX 4096 /* the kernel takes one page at most */

static int write_map(pid_t pid, const char *file, const char *map, struct failure *failure) {
  char path[64], lines[MAP_SIZE_MAX];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
  int length = snprintf(lines, sizeof lines, "%s\n", map);
  if (length >= (int)sizeof lines) return fail_as(failure, E2BIG, "ids: a map of %d bytes", length);
  for (char *at = lines; (at = strchr(at, ','));) *at = '\n';
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  int result = fd < 0 || write(fd, lines, (size_t)length) < 0 ? fail(failure, "map the ids %.100s in %s", map, path) : 0;
  if (fd >= 0) close(fd);
  return result;
}

int users_map(pid_t pid, const struct id_maps *maps, struct failure *failure) {
  if (write_map(pid, "uid_map", maps->users, failure) < 0) return -1;
  return write_map(pid, "gid_map", maps->groups, failure);
}

static int open_new(const struct id_maps *maps, struct failure *failure) {
  /* It needs a process only until it is open. */
  pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (pid < 0) return fail(failure, "make a user namespace");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
  }
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
  int fd = -1;
  if (users_map(pid, maps, failure) == 0) {
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) fail(failure, "open %s", path);
  }
  kill(pid, SIGKILL);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
  return fd;
}

int users_open(const struct id_maps *maps, struct failure *failure) {
  /* Nearly all mounts of an instance have the same maps, and making a namespace takes a fork. */
  static int kept = -1;
  static char users[64], groups[64];
  bool keepable = strlen(maps->users) < sizeof users && strlen(maps->groups) < sizeof groups;
  if (kept >= 0 && !strcmp(users, maps->users) && !strcmp(groups, maps->groups)) {
    int copy = fcntl(kept, F_DUPFD_CLOEXEC, 0);
    return copy < 0 ? fail(failure, "use a user namespace again") : copy;
  }
  int fd = open_new(maps, failure);
  if (fd < 0 || kept >= 0 || !keepable) return fd;
  kept = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  strcpy(users, maps->users);
  strcpy(groups, maps->groups);
  return fd;
}
