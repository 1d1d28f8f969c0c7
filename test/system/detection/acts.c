/*
 * What attackers do, each the way they do it, for the rules to see. Static, and of whatever name it is copied to: a "server" is this program by a server's name.
 *
 *     acts ACT [WORDS...]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static char **words;

static struct sockaddr_in address(const char *host, int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (inet_pton(AF_INET, host, &to.sin_addr) != 1) errx(2, "%s", host);
  return to;
}

/* A server that starts a program, as a server does. */
static void spawn(void) {
  pid_t child = fork();
  if (child == 0) {
    execv(words[0], words);
    err(127, "%s", words[0]);
  }
  waitpid(child, NULL, 0);
}

/* A connection to a listener of our own. */
static int connection(void) {
  int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in own = address("127.0.0.1", 4444);
  if (bind(listening, (void *)&own, sizeof own) || listen(listening, 1) || connect(fd, (void *)&own, sizeof own)) err(1, "connection");
  if (fork() == 0) {
    int peer = accept(listening, NULL, NULL);
    dprintf(peer, "exit 0\n");
    close(fd);
    char rest[64];
    while (read(peer, rest, sizeof rest) > 0) {}
    _exit(0);
  }
  close(listening);
  return fd;
}

static void become_stdio(int fd) {
  for (int each = 0; each < 3; each++) dup2(fd, each);
}

static void reverse_same(void) {
  become_stdio(connection());
  execl("/bin/sh", "sh", NULL);
}

static void reverse_child(void) {
  become_stdio(connection());
  pid_t child = fork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-i", NULL);
    _exit(127);
  }
  waitpid(child, NULL, 0);
}

/* As inetd does it: a service on a connection, which is no shell. */
static void inetd(void) {
  become_stdio(connection());
  pid_t child = fork();
  if (child == 0) {
    execl("/bin/cat", "cat", NULL);
    _exit(127);
  }
  shutdown(0, SHUT_RDWR);
  waitpid(child, NULL, 0);
}

/* A shell's own redirection to a socket, without another program. */
static void shell_redirects(void) {
  int fd = connection();
  become_stdio(fd);
}

static void in_memory(void) {
  int fd = memfd_create("payload", MFD_CLOEXEC), from = open("/proc/self/exe", O_RDONLY);
  struct stat status;
  fstat(from, &status);
  sendfile(fd, from, NULL, (size_t)status.st_size);
  fexecve(fd, (char *const[]){"payload", "nothing", NULL}, environ);
  err(1, "fexecve");
}

/* HOST FIRST COUNT: that many ports of one address. */
static void ports(void) {
  for (int each = 0; each < atoi(words[2]); each++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = address(words[0], atoi(words[1]) + each);
    connect(fd, (void *)&to, sizeof to);
    close(fd);
  }
}

/* PORT COUNT: one port of that many addresses. */
static void hosts(void) {
  for (int each = 0; each < atoi(words[1]); each++) {
    char host[32];
    snprintf(host, sizeof host, "10.1.%d.%d", each / 200, each % 200 + 1);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = address(host, atoi(words[0]));
    connect(fd, (void *)&to, sizeof to);
    close(fd);
  }
}

static void to(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in there = address(words[0], atoi(words[1]));
  if (connect(fd, (void *)&there, sizeof there)) warn("connect");
}

static void unix_to(void) {
  struct sockaddr_un there = {.sun_family = AF_UNIX};
  strncpy(there.sun_path, words[0], sizeof there.sun_path - 1);
  int listening = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(listening, (void *)&there, sizeof there) || listen(listening, 1) || connect(fd, (void *)&there, sizeof there)) err(1, "%s", words[0]);
}

static void packets(void) { close(socket(AF_PACKET, SOCK_RAW, htons(3))); }
static void echoes(void) { close(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)); }
static void open_to_write(void) {
  int fd = open(words[0], O_WRONLY);
  if (fd < 0) err(1, "%s", words[0]);
}
static void open_to_read(void) {
  int fd = open(words[0], O_RDONLY);
  if (fd < 0) err(1, "%s", words[0]);
}

static pid_t sleeper(void) {
  pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  return child;
}
static void end(pid_t child) {
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
}

static void attach(void) {
  pid_t child = sleeper();
  if (ptrace(PTRACE_ATTACH, child, NULL, NULL)) err(1, "ptrace");
  end(child);
}
static void inject(void) {
  static char there[8];
  pid_t child = sleeper();
  struct iovec from = {.iov_base = "code", .iov_len = 4}, into = {.iov_base = there, .iov_len = 4};
  if (process_vm_writev(child, &from, 1, &into, 1, 0) != 4) err(1, "process_vm_writev");
  end(child);
}
/* Its memory, and a file that it has open. */
static void peek(void) {
  static char secret[8] = "secret", taken[8];
  pid_t child = sleeper();
  struct iovec into = {.iov_base = taken, .iov_len = 8}, from = {.iov_base = secret, .iov_len = 8};
  if (process_vm_readv(child, &into, 1, &from, 1, 0) != 8) err(1, "process_vm_readv");
  end(child);
}
static void take_file(void) {
  pid_t child = sleeper();
  int of = (int)syscall(434, child, 0);
  if (of < 0 || syscall(438, of, 0, 0) < 0) warn("pidfd_getfd");
  end(child);
}
static void read_memory(void) {
  char path[64];
  pid_t child = sleeper();
  snprintf(path, sizeof path, "/proc/%d/task/%d/mem", child, child);
  if (open(path, O_RDONLY) < 0) warn("%s", path);
  end(child);
}
static void read_environment(void) {
  char path[64];
  pid_t child = sleeper();
  snprintf(path, sizeof path, "/proc/%d/task/%d/environ", child, child);
  if (open(path, O_RDONLY) < 0) err(1, "%s", path);
  end(child);
}
/* FILE NAME: an extended attribute. Capabilities: CAP_NET_BIND_SERVICE, as setcap writes it. */
static void attribute(void) {
  static const unsigned capabilities[5] = {0x02000001, 1 << 10, 0, 0, 0};
  int is_text = strncmp(words[1], "security.", 9) != 0;
  if (setxattr(words[0], words[1], is_text ? "text" : (const void *)capabilities, is_text ? 4 : sizeof capabilities, 0)) warn("%s", words[1]);
}
static void shorten(void) {
  if (truncate(words[0], 0)) err(1, "%s", words[0]);
}
/* A handle is asked for, and not opened. */
static void handle_only(void) {
  struct file_handle *of = calloc(1, sizeof *of + 128);
  of->handle_bytes = 128;
  int mount;
  if (name_to_handle_at(AT_FDCWD, words[0], of, &mount, 0)) warn("name_to_handle_at");
}
static void traced(void) { ptrace(PTRACE_TRACEME, 0, NULL, NULL); }

/* Nothing is loaded: the kernel is asked to load what is no module and no program. */
static void module(void) { syscall(SYS_finit_module, open("/proc/self/exe", O_RDONLY), "", 0); }
static void bpf_load(void) {
  char attributes[128] = {0};
  syscall(SYS_bpf, 5, attributes, sizeof attributes);
}
static void bpf_ask(void) {
  char attributes[128] = {0};
  syscall(SYS_bpf, 11, attributes, sizeof attributes);
}
static void rings(void) {
  char parameters[120] = {0};
  int fd = (int)syscall(425, 1, parameters);
  if (fd < 0) err(1, "io_uring_setup");
}
static void handle(void) {
  struct file_handle *of = calloc(1, sizeof *of + 128);
  of->handle_bytes = 128;
  int mount, at = open("/", O_RDONLY | O_DIRECTORY);
  if (name_to_handle_at(AT_FDCWD, words[0], of, &mount, 0)) warn("name_to_handle_at");
  open_by_handle_at(at, of, O_RDONLY);
}
static void share_less(void) { unshare(CLONE_FS | CLONE_FILES); }
static void share_nothing(void) { unshare(CLONE_NEWUSER | CLONE_NEWNS); }
static void enter(void) { setns(open("/proc/self/ns/uts", O_RDONLY), CLONE_NEWUTS); }

/* A terminal of its own, and a shell on it. */
static void terminal(void) {
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || grantpt(master) || unlockpt(master)) err(1, "a terminal");
  pid_t child = fork();
  if (child == 0) {
    setsid();
    int slave = open(ptsname(master), O_RDWR);
    if (slave < 0 || ioctl(slave, TIOCSCTTY, 0)) err(1, "the terminal");
    execl("/bin/sh", "sh", "-c", "exit", NULL);
    _exit(127);
  }
  waitpid(child, NULL, 0);
}

static void empty(void) { close(open(words[0], O_WRONLY | O_TRUNC)); }
static void nothing(void) {}

static const struct {
  const char *name;
  void (*run)(void);
} acts[] = {
  {"spawn", spawn}, {"reverse-same", reverse_same}, {"reverse-child", reverse_child}, {"inetd", inetd}, {"shell-redirects", shell_redirects},
  {"in-memory", in_memory}, {"ports", ports}, {"hosts", hosts}, {"to", to}, {"unix-to", unix_to}, {"packets", packets}, {"echoes", echoes},
  {"open-to-write", open_to_write}, {"open-to-read", open_to_read}, {"attach", attach}, {"inject", inject}, {"traced", traced}, {"module", module},
  {"bpf-load", bpf_load}, {"bpf-ask", bpf_ask}, {"rings", rings}, {"handle", handle}, {"share-less", share_less}, {"share-nothing", share_nothing},
  {"peek", peek}, {"take-file", take_file}, {"read-memory", read_memory}, {"read-environment", read_environment}, {"attribute", attribute}, {"shorten", shorten},
  {"handle-only", handle_only}, {"enter", enter}, {"terminal", terminal}, {"empty", empty}, {"nothing", nothing},
  /* As ps is asked. */
  {"aux", read_environment}, {"auxe", read_environment},
};

int main(int count, char **all) {
  words = all + 2;
  for (size_t index = 0; count > 1 && index < sizeof acts / sizeof *acts; index++) {
    if (strcmp(acts[index].name, all[1])) continue;
    acts[index].run();
    return 0;
  }
  /* By other names it does nothing: a wget that fetches nothing, a miner that digs nothing. */
  return 0;
}
