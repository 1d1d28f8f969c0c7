/*
 * A container as a runtime makes one, with nothing that the test does not need: a first process in a pid, mount and network namespace of its own, which waits until it
 * is registered, sets itself up as runtimes do, and only then becomes the program that was asked for.
 *
 *     cell [-h] [-m] [-r LOWER WORK] COMMAND...     -h: in the host's pid namespace; -r: on an overlay of LOWER, with all that is written in WORK; -m: mounts first, then waits
 *
 * Writes "PID INODE" of it, then waits for a byte on stdin. Its exit status is the command's; 128 + signal when that was killed.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void bring_loopback_up(void) {
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request)) err(99, "bring loopback up");
  close(fd);
}

static void take_root(const char *lower, const char *work) {
  char path[4096], options[4096];
  if (mount("tmpfs", work, "tmpfs", 0, NULL)) err(99, "mount %s", work);
  for (const char *const *name = (const char *const[]){"upper", "work", "root", NULL}; *name; name++) {
    snprintf(path, sizeof path, "%s/%s", work, *name);
    mkdir(path, 0755);
  }
  snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s/upper,workdir=%s/work", lower, work, work);
  if (mount("overlay", path, "overlay", 0, options)) err(99, "mount an overlay on %s", path);
  if (chroot(path) || chdir("/")) err(99, "chroot");
  if (mount("tmpfs", "/dev/shm", "tmpfs", 0, NULL)) err(99, "mount /dev/shm");
}

/* What a runtime does in the container before the program: none of it is the workload's. */
static void set_up(void) {
  if (mount("proc", "/proc", "proc", 0, NULL)) err(99, "mount /proc");
  if (sethostname("cell", 4)) err(99, "sethostname");
  close(open("/etc/shadow", O_RDONLY));
  bring_loopback_up();
  pid_t child = fork();
  if (child == 0) {
    close(open("/etc/shadow", O_RDONLY));
    _exit(0);
  }
  waitpid(child, NULL, 0);
}

int main(int count, char **words) {
  int at = 1, pair[2], made[2], mounts_first = 0, namespaces = CLONE_NEWPID;
  const char *lower = NULL, *work = NULL;
  for (; at < count && words[at][0] == '-'; at++) {
    if (words[at][1] == 'h') namespaces = 0;
    if (words[at][1] == 'm') mounts_first = 1;
    if (words[at][1] == 'r') {
      lower = words[++at];
      work = words[++at];
    }
  }
  if (pipe2(pair, O_CLOEXEC) || pipe2(made, O_CLOEXEC)) err(99, "pipe");
  pid_t child = (pid_t)syscall(SYS_clone, namespaces | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | SIGCHLD, NULL, NULL, NULL, NULL);
  if (child < 0) err(99, "clone");
  if (child == 0) {
    char byte;
    close(pair[1]);
    if (!mounts_first && (write(made[1], "x", 1) != 1 || read(pair[0], &byte, 1) != 1)) _exit(98);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) err(99, "make / private");
    if (lower) take_root(lower, work);
    if (mounts_first && (write(made[1], "x", 1) != 1 || read(pair[0], &byte, 1) != 1)) _exit(98);
    set_up();
    execvp(words[at], words + at);
    err(127, "%s", words[at]);
  }
  char path[64], ready;
  close(pair[0]);
  close(made[1]);
  if (read(made[0], &ready, 1) != 1) err(99, "the first process");
  struct stat status;
  snprintf(path, sizeof path, "/proc/%d/ns/pid", child);
  if (stat(path, &status)) err(99, "%s", path);
  printf("%d %lu\n", child, status.st_ino);
  fflush(stdout);
  char byte;
  if (read(STDIN_FILENO, &byte, 1) != 1 || write(pair[1], &byte, 1) != 1) return 99;
  int ended;
  if (waitpid(child, &ended, 0) != child) err(99, "wait");
  return WIFSIGNALED(ended) ? 128 + WTERMSIG(ended) : WEXITSTATUS(ended);
}
