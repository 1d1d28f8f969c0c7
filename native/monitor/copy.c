#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach.h"

#define LOG "copy.log"
#define FROM_IN_COPIER 3
#define TO_IN_COPIER 4
#define PROGRAM "/bin/cp"

static int open_folder(int folder, const char *path, uint64_t resolve) {
  struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, .resolve = resolve | RESOLVE_NO_MAGICLINKS};
  return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}

/* 1: it is; 0: it is not; -1: it cannot be read. */
static int is_empty(int folder) {
  int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *list = copy < 0 ? NULL : fdopendir(copy);
  if (!list) return -1;
  int empty = 1;
  for (struct dirent *entry; empty && (entry = readdir(list));) empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
  closedir(list);
  return empty;
}

/* In the new user namespace. Its root is the container's. */
static _Noreturn void become_copier(int go, int from, int to, int log, pid_t monitor) {
  char byte;
  if (read(go, &byte, 1) != 1) _exit(126); /* the monitor could not map the ids */
  if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) _exit(126);
  int null = open("/dev/null", O_RDWR);
  from = fcntl(from, F_DUPFD, 10);
  to = fcntl(to, F_DUPFD, 10);
  if (null < 0 || from < 0 || to < 0 || dup2(log, 2) < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0) _exit(126);
  if (dup2(from, FROM_IN_COPIER) < 0 || dup2(to, TO_IN_COPIER) < 0) _exit(126);
  syscall(SYS_close_range, TO_IN_COPIER + 1, ~0u, 0);
  sigset_t none;
  sigemptyset(&none);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, NULL);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* after the ids have changed, which resets it */
  if (getppid() != monitor) _exit(126);
  /* The magic links are its own descriptors: nothing is looked up by a name that somebody could change meanwhile. */
  char *const arguments[] = {PROGRAM, "-a", "--", "/proc/self/fd/3/.", "/proc/self/fd/4/.", NULL};
  char *const environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", NULL};
  execve(PROGRAM, arguments, environment);
  _exit(127);
}

static int start_copier(const struct copy_request *request, int from, int to, struct failure *failure) {
  int go[2], log = open(LOG, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (log < 0) return fail(failure, "make the file " LOG);
  if (pipe2(go, O_CLOEXEC) < 0) {
    close(log);
    return fail(failure, "make a pipe");
  }
  pid_t monitor = getpid();
  pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) {
    close(go[1]); /* or else it would wait for itself when the monitor dies */
    become_copier(go[0], from, to, log, monitor);
  }
  int result = pid < 0 ? fail(failure, "make a user namespace for the copy") : users_map(pid, &(struct id_maps){request->ids, request->ids}, failure);
  if (result == 0 && write(go[1], "", 1) != 1) result = fail(failure, "start the copy");
  close(go[0]);
  close(go[1]);
  close(log);
  if (result == 0) return pid;
  if (pid > 0) {
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
  }
  return -1;
}

int copy_begin(struct loop *loop, const struct copy_request *request, struct child *child, void (*ended)(struct child *child, int status),
               struct failure *failure) {
  int result = -1, from = -1;
  int rootfs = open("rootfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  int to = attach_folder(request->volume, &(struct id_maps){request->ids, request->ids}, failure);
  int empty = to < 0 ? -1 : is_empty(to);
  if (to < 0) result = -1;
  else if (rootfs < 0) fail(failure, "open rootfs");
  else if (empty < 0) fail(failure, "read the volume %.200s", request->volume);
  else if (!empty && !request->again) result = 0;
  else {
    from = open_folder(rootfs, request->target, RESOLVE_IN_ROOT);
    if (from < 0 && (errno == ENOENT || errno == ENOTDIR)) result = 0; /* the image has nothing there, or no folder */
    else if (from < 0) fail(failure, "open %.200s in the image", request->target);
    else {
      pid_t pid = start_copier(request, from, to, failure);
      if (pid > 0) {
        loop_expect(loop, child, pid, ended);
        result = 1;
      }
    }
  }
  if (from >= 0) close(from);
  if (to >= 0) close(to);
  if (rootfs >= 0) close(rootfs);
  return result;
}

int copy_end(int status, struct failure *failure) {
  char text[400];
  int fd = open(LOG, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  unlink(LOG);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
  text[size > 0 ? size : 0] = 0;
  text[strcspn(text, "\n")] = 0;
  if (*text) return fail_as(failure, EIO, "copy from the image into the volume: %s", text);
  return fail_as(failure, EIO, "copy from the image into the volume: " PROGRAM " ended with status %d", status);
}
