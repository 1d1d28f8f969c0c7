/* What somebody does who does not want to be seen, or not to be stopped: `evasions NAME [ARGUMENT]`. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in at(const char *address, int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, address, &to.sin_addr);
  return to;
}

/* A child that is its parent's sibling: who came in from outside gets one whose parent is outside. */
static void do_clone_parent(char *path) {
  int pair[2];
  char none;
  if (pipe2(pair, O_CLOEXEC)) err(1, "pipe");
  pid_t child = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
  if (child < 0) err(1, "clone");
  if (child == 0) {
    close(open(path, O_RDONLY));
    _exit(0);
  }
  printf("%d\n", child);
  fflush(stdout);
  close(pair[1]);
  if (read(pair[0], &none, 1) != 0) err(1, "the child's end");
}

/* MS: a system call after the other, no two the same. Writes how many. */
static void do_setfsuids(char *milliseconds) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  long until = now.tv_sec * 1000 + now.tv_nsec / 1000000 + atol(milliseconds), count = 0;
  do {
    for (int again = 0; again < 100; again++) setfsuid((uid_t)(1 + count++ % 1000000));
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < until);
  printf("%ld\n", count);
}

/* One message to each of so many ports, in one call. */
static void do_sendmmsg(char *count) {
  int most = atoi(count);
  struct mmsghdr messages[1024] = {0};
  struct sockaddr_in to[1024];
  struct iovec data = {.iov_base = "x", .iov_len = 1};
  for (int index = 0; index < most; index++) {
    to[index] = at("127.0.0.1", 5000 + index);
    messages[index].msg_hdr = (struct msghdr){.msg_name = &to[index], .msg_namelen = sizeof *to, .msg_iov = &data, .msg_iovlen = 1};
  }
  printf("%d\n", sendmmsg(socket(AF_INET, SOCK_DGRAM, 0), messages, (unsigned)most, 0));
}

/* Files changed, made and marked without being opened. */
static void do_files(char *folder) {
  if (chdir(folder)) err(1, "%s", folder);
  if (truncate("log", 5)) err(1, "truncate");
  int fd = open("log", O_WRONLY), other = open("other", O_WRONLY);
  if (ftruncate(fd, 0) || ftruncate(other, 0)) err(1, "ftruncate");
  if (mknod("disk", S_IFBLK | 0600, makedev(8, 1))) warn("mknod");
  if (setxattr("log", "trusted.hidden", "x", 1, 0) || fsetxattr(other, "trusted.other", "x", 1, 0)) warn("setxattr");
}

/* Another process's memory and descriptors. */
static void do_reach(char *unused) {
  (void)unused;
  static char secret = 's';
  int pair[2];
  if (pipe(pair)) err(1, "pipe");
  pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  char here;
  struct iovec to = {&here, 1}, from = {&secret, 1};
  process_vm_readv(child, &to, 1, &from, 1, 0);
  int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
  close((int)syscall(SYS_pidfd_getfd, pidfd, pair[0], 0));
  printf("%d\n", child);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
}

/* FOLDER,PATH: by io_uring, from the folder. */
static void do_uring(char *words) {
  char *comma = strchr(words, ',');
  *comma = '\0';
  if (chdir(words)) err(1, "%s", words);
  struct io_uring_params parameters = {0};
  int ring = (int)syscall(425, 4, &parameters);
  if (ring < 0) return;
  char *queue = mmap(NULL, parameters.sq_off.array + parameters.sq_entries * sizeof(unsigned), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
  struct io_uring_sqe *entries = mmap(NULL, parameters.sq_entries * sizeof *entries, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
  if (queue == MAP_FAILED || entries == MAP_FAILED) err(1, "map io_uring");
  struct sockaddr_in to = at("127.0.0.1", 5000);
  struct iovec data = {.iov_base = "x", .iov_len = 1};
  struct msghdr message = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &data, .msg_iovlen = 1};
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  entries[0] = (struct io_uring_sqe){.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (unsigned long)(comma + 1), .open_flags = O_RDONLY};
  entries[1] = (struct io_uring_sqe){.opcode = IORING_OP_SENDMSG, .fd = fd, .addr = (unsigned long)&message, .len = 1};
  for (unsigned index = 0; index < 2; index++) ((unsigned *)(queue + parameters.sq_off.array))[index] = index;
  __atomic_fetch_add((unsigned *)(queue + parameters.sq_off.tail), 2, __ATOMIC_RELEASE);
  if (syscall(426, ring, 2, 2, 1, NULL, 0) < 0) err(1, "io_uring_enter");
}

/* FOLDER,PATH: what is not allowed, from the folder. */
static void do_forbidden(char *words) {
  char *comma = strchr(words, ',');
  *comma = '\0';
  if (chdir(words) || setresuid(65534, 65534, 65534)) err(1, "%s", words);
  if (open(comma + 1, O_RDONLY) >= 0) errx(1, "it was allowed");
}

/* FOLDER,COUNT: so many programs, no two the same, each run once. */
static void do_programs(char *words) {
  char *comma = strchr(words, ','), path[4096];
  *comma = '\0';
  int from = open("/proc/self/exe", O_RDONLY);
  struct stat status;
  fstat(from, &status);
  char *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, from, 0);
  for (int left = atoi(comma + 1); left > 0; left--) {
    snprintf(path, sizeof path, "%s/program-%d", words, left);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    if (write(fd, bytes, (size_t)status.st_size) != status.st_size || write(fd, &left, sizeof left) != sizeof left) err(1, "%s", path);
    close(fd);
    pid_t child = vfork();
    if (child == 0) {
      execl(path, path, "nothing", NULL);
      _exit(1);
    }
    waitpid(child, NULL, 0);
    unlink(path);
  }
}

static void told(const char *what, int result) { printf("%s %d\n", what, result < 0 ? errno : 0); }

static void do_listen(char *unused) {
  (void)unused;
  const struct { const char *name, *address; int kind, port; } wanted[] = {
      {"any", "0.0.0.0", SOCK_STREAM, 6000}, {"own", "127.0.0.1", SOCK_STREAM, 6001}, {"chosen", "0.0.0.0", SOCK_STREAM, 0},
      {"datagrams", "0.0.0.0", SOCK_DGRAM, 6002}, {"client", "0.0.0.0", SOCK_DGRAM, 0},
  };
  for (size_t index = 0; index < sizeof wanted / sizeof *wanted; index++) {
    struct sockaddr_in name = at(wanted[index].address, wanted[index].port);
    told(wanted[index].name, bind(socket(AF_INET, wanted[index].kind, 0), (void *)&name, sizeof name));
  }
  struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(6003)}, own = {.sin6_family = AF_INET6, .sin6_port = htons(6004), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  told("any6", bind(socket(AF_INET6, SOCK_STREAM, 0), (void *)&any, sizeof any));
  told("own6", bind(socket(AF_INET6, SOCK_STREAM, 0), (void *)&own, sizeof own));
}

/* Writes a script there, and executes it. */
static void do_script(char *path) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
  const char text[] = "#!/bin/deeds say\n";
  if (write(fd, text, sizeof text - 1) < 0) err(1, "%s", path);
  close(fd);
  execl(path, path, NULL);
  printf("errno %d\n", errno);
}
static void do_execute(char *path) {
  execl(path, path, NULL);
  printf("errno %d\n", errno);
}
static void do_nothing(char *unused) { (void)unused; }

static const struct {
  const char *name;
  void (*run)(char *argument);
} evasions[] = {
    {"clone-parent", do_clone_parent}, {"setfsuids", do_setfsuids}, {"sendmmsg", do_sendmmsg}, {"files", do_files}, {"reach", do_reach}, {"uring", do_uring},
    {"forbidden", do_forbidden}, {"programs", do_programs}, {"listen", do_listen}, {"script", do_script}, {"execute", do_execute}, {"nothing", do_nothing},
};

int main(int count, char **words) {
  for (size_t index = 0; count > 1 && index < sizeof evasions / sizeof *evasions; index++) {
    if (strcmp(words[1], evasions[index].name) != 0) continue;
    evasions[index].run(count > 2 ? words[2] : "");
    return 0;
  }
  errx(2, "which evasion?");
}
