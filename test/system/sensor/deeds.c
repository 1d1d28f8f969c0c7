/* Does, for real, what the sensor is to see: `deeds NAME [ARGUMENT]`. Exits with 0 also when the kernel did not let it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in at(const char *address, int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, address, &to.sin_addr);
  return to;
}

static int listener(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in own = at("127.0.0.1", port);
  if (bind(fd, (void *)&own, sizeof own) || listen(fd, 1)) err(1, "listen on %d", port);
  return fd;
}

static void do_open(char *path) { close(open(path, O_RDONLY)); }
static void do_write(char *path) { close(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644)); }
static void do_make_program(char *path) { close(open(path, O_WRONLY | O_CREAT | O_EXCL, 0755)); }
static void do_openat2(char *path) {
  struct { unsigned long long flags, mode, resolve; } how = {.flags = O_RDONLY | O_CLOEXEC};
  close((int)syscall(437, AT_FDCWD, path, &how, sizeof how));
}
static void do_open_relative(char *path) {
  char *slash = strrchr(path, '/');
  *slash = '\0';
  int folder = open(path, O_PATH | O_DIRECTORY);
  close(openat(folder, slash + 1, O_RDONLY));
}
/* The path lies on a page that nobody has touched: whoever reads it before the kernel does sees nothing. */
static void do_open_untouched(char *path) {
  char name[] = "/tmp/dayfly-untouched-XXXXXX";
  int fd = mkstemp(name);
  unlink(name);
  if (write(fd, path, strlen(path) + 1) < 0) err(1, "write");
  char *mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  close(open(mapped, O_RDONLY));
}
static void do_opens(char *path) {
  char *comma = strchr(path, ',');
  *comma = '\0';
  for (long left = atol(comma + 1); left > 0; left--) close(open(path, O_RDONLY));
}
static void do_open32(char *path) {
  char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  strcpy(low, path);
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(5L), "b"(low), "c"((long)O_RDONLY), "d"(0L) : "memory", "r8", "r9", "r10", "r11");
  if (result < 0) errx(1, "int 0x80: %ld", result);
}
static void do_connect32(char *unused) {
  (void)unused;
  int listening = listener(4001), fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  *low = at("127.0.0.1", 4001);
  unsigned *words = (unsigned *)(low + 4);
  words[0] = (unsigned)fd;
  words[1] = (unsigned)(unsigned long)low;
  words[2] = sizeof *low;
  long result; /* socketcall(SYS_CONNECT) */
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(102L), "b"(3L), "c"(words) : "memory", "r8", "r9", "r10", "r11");
  if (result < 0) errx(1, "socketcall: %ld", result);
  close(listening);
}

static void do_uring(char *path) {
  struct io_uring_params parameters = {0};
  int ring = (int)syscall(425, 4, &parameters);
  if (ring < 0) return;
  char *queue = mmap(NULL, parameters.sq_off.array + parameters.sq_entries * sizeof(unsigned), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
  struct io_uring_sqe *entries = mmap(NULL, parameters.sq_entries * sizeof *entries, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
  if (queue == MAP_FAILED || entries == MAP_FAILED) err(1, "map io_uring");
  entries[0] = (struct io_uring_sqe){.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (unsigned long)path, .open_flags = O_RDONLY};
  ((unsigned *)(queue + parameters.sq_off.array))[0] = 0;
  __atomic_fetch_add((unsigned *)(queue + parameters.sq_off.tail), 1, __ATOMIC_RELEASE);
  if (syscall(426, ring, 1, 1, 1, NULL, 0) < 0) err(1, "io_uring_enter");
}

static void do_handle(char *path) {
  struct { struct file_handle handle; char room[128]; } named = {.handle.handle_bytes = 128};
  int mount_id, mount = open("/", O_RDONLY | O_DIRECTORY);
  if (name_to_handle_at(AT_FDCWD, path, &named.handle, &mount_id, 0)) named.handle.handle_bytes = 8;
  close(open_by_handle_at(mount, &named.handle, O_RDONLY));
}

static void do_connect(char *unused) {
  (void)unused;
  int listening = listener(4000), fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in to = at("127.0.0.1", 4000);
  if (connect(fd, (void *)&to, sizeof to)) err(1, "connect");
  int accepted = accept(listening, NULL, NULL);
  dup2(fd, 0);
  close(accepted);
}
static void do_connect_to(char *address) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in to = at(address, 4444);
  int failed = connect(fd, (void *)&to, sizeof to) ? errno : 0;
  printf("connect %d\n", failed);
  struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_port = htons(4444)};
  inet_pton(AF_INET6, "2001:db8::1", &to6.sin6_addr);
  int fd6 = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
  failed = connect(fd6, (void *)&to6, sizeof to6) ? errno : 0;
  printf("connect6 %d\n", failed);
  int datagram = socket(AF_INET, SOCK_DGRAM, 0);
  failed = sendto(datagram, "x", 1, 0, (void *)&to, sizeof to) < 0 ? errno : 0;
  printf("sendto %d\n", failed);
  int datagram6 = socket(AF_INET6, SOCK_DGRAM, 0);
  failed = sendto(datagram6, "x", 1, 0, (void *)&to6, sizeof to6) < 0 ? errno : 0;
  printf("sendto6 %d\n", failed);
  int listening = listener(4002), local = socket(AF_INET, SOCK_STREAM, 0);
  to = at("127.0.0.1", 4002);
  failed = connect(local, (void *)&to, sizeof to) ? errno : 0;
  printf("loopback %d\n", failed);
  close(listening);
}
static void do_refused(char *unused) {
  (void)unused;
  struct sockaddr_in to = at("127.0.0.1", 1);
  connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&to, sizeof to);
}
static void do_unix(char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  int listening = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(listening, (void *)&address, sizeof address) || listen(listening, 1) || connect(fd, (void *)&address, sizeof address)) err(1, "unix socket");
  struct sockaddr_un abstract = {.sun_family = AF_UNIX, .sun_path = "\0dayfly-abstract"};
  if (bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&abstract, sizeof(sa_family_t) + 16)) err(1, "abstract unix socket");
}
static void do_sendto(char *unused) {
  (void)unused;
  struct sockaddr_in to = at("127.0.0.1", 4003);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  sendto(fd, "x", 1, 0, (void *)&to, sizeof to);
  struct iovec data = {.iov_base = "y", .iov_len = 1};
  to.sin_port = htons(4004);
  struct msghdr message = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &data, .msg_iovlen = 1};
  sendmsg(fd, &message, 0);
}
static void do_sockets(char *unused) {
  (void)unused;
  socket(AF_PACKET, SOCK_RAW, htons(3));
  socket(AF_NETLINK, SOCK_RAW, 0);
  socket(AF_VSOCK, SOCK_STREAM, 0);
  socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  socket(AF_INET, SOCK_STREAM, 0);
}

static void do_files(char *folder) {
  if (chdir(folder)) err(1, "%s", folder);
  close(open("a", O_WRONLY | O_CREAT, 0600));
  mkdir("folder", 0711);
  link("a", "b");
  symlink("a", "c");
  rename("b", "folder/d");
  chmod("a", 04755);
  int fd = open("a", O_WRONLY);
  fchmod(fd, 0700);
  chown("a", 12, 34);
  int inside = open("folder", O_PATH | O_DIRECTORY);
  renameat(AT_FDCWD, "c", inside, "e");
  unlinkat(inside, "d", 0);
  unlink("nothing");
  rmdir("folder/e");
}

static void do_identity(char *unused) {
  (void)unused;
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data)) err(1, "capget");
  data[0].effective = 1 << CAP_SETUID | 1 << CAP_SETGID;
  data[1].effective = 0;
  if (syscall(SYS_capset, &header, data)) err(1, "capset");
  syscall(SYS_setgid, 12);
  syscall(SYS_setresuid, 1, 2, -1);
}

static void do_memfd(char *program) {
  int fd = memfd_create("payload", MFD_CLOEXEC), from = open(program, O_RDONLY);
  struct stat status;
  fstat(from, &status);
  char *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, from, 0);
  if (write(fd, bytes, (size_t)status.st_size) != status.st_size) err(1, "write");
  fexecve(fd, (char *const[]){"in-memory", "nothing", NULL}, environ);
  err(1, "fexecve");
}
static void do_copy_and_run(char *to) {
  int from = open("/proc/self/exe", O_RDONLY), fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
  struct stat status;
  fstat(from, &status);
  char *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, from, 0);
  if (write(fd, bytes, (size_t)status.st_size) != status.st_size) err(1, "write");
  close(fd);
  execl(to, "dropped", "say", "dropped", NULL);
  err(1, "%s", to);
}
static void do_say(char *text) { printf("%s\n", text); }

static void do_mounts(char *folder) {
  if (unshare(CLONE_NEWNS)) return;
  mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
  mount("source", folder, "tmpfs", MS_NOSUID, "size=1m");
  umount2(folder, MNT_DETACH);
  syscall(SYS_pivot_root, "/nowhere", "/nowhere/old");
  chroot("/");
  setns(open("/proc/self/ns/mnt", O_RDONLY), CLONE_NEWNS);
}

static int deeds_began;
static void do_targets(char *unused) {
  (void)unused;
  pid_t child = fork();
  if (child == 0) {
    pid_t grandchild = fork();
    if (grandchild == 0) {
      pause();
      _exit(0);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pause();
    _exit(0);
  }
  usleep(50000);
  char path[64], text[32] = "";
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", child, child);
  int fd = open(path, O_RDONLY);
  if (read(fd, text, sizeof text - 1) < 0) err(1, "%s", path);
  pid_t grandchild = atoi(text);
  printf("%d\n", grandchild);
  ptrace(PTRACE_ATTACH, grandchild, NULL, NULL);
  waitpid(grandchild, NULL, __WALL);
  ptrace(PTRACE_PEEKDATA, grandchild, &deeds_began, NULL);
  ptrace(PTRACE_DETACH, grandchild, NULL, NULL);
  char here = 'x';
  struct iovec from = {&here, 1}, to = {&here, 1};
  process_vm_writev(grandchild, &from, 1, &to, 1, 0);
  kill(getpid(), 0);
  raise(SIGWINCH);
  kill(grandchild, SIGKILL);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
}

static void do_rare(char *unused) {
  (void)unused;
  syscall(SYS_init_module, NULL, 0L, "");
  syscall(SYS_finit_module, open("/proc/self/exe", O_RDONLY), "", 0);
  union bpf_attr attributes = {0};
  syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes);
  syscall(SYS_keyctl, 0, -3, 0);
  syscall(SYS_userfaultfd, O_CLOEXEC);
  struct perf_event_attr event = {.size = sizeof event, .type = PERF_TYPE_SOFTWARE};
  syscall(SYS_perf_event_open, &event, 0, -1, -1, 0L);
}

static void do_args(char *unused) {
  (void)unused;
  /* 10,000 bytes of arguments, none of them UTF-8 at its end. */
  char *words[102] = {"/bin/true"};
  for (int index = 1; index < 101; index++) {
    words[index] = malloc(100);
    memset(words[index], 'a' + index % 26, 99);
    words[index][98] = (char)0xff;
    words[index][99] = '\0';
  }
  execv("/bin/true", words);
  err(1, "/bin/true");
}

/* PATH,TIMES: no two of these are the same. */
static void do_chowns(char *path) {
  char *comma = strchr(path, ',');
  *comma = '\0';
  for (long left = atol(comma + 1); left > 0; left--)
    if (chown(path, (uid_t)left, 0)) err(1, "chown %s", path);
}

/* SEED: a process name, a file, a socket and arguments of any bytes but NUL. Writes the arguments in hexadecimal, a line each. */
static unsigned random_state;
static unsigned next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  return random_state ^= random_state << 5;
}
static void random_bytes(char *bytes, size_t length) {
  for (size_t index = 0; index < length; index++) do bytes[index] = (char)next_random();
    while (bytes[index] == '\0' || bytes[index] == '/');
  bytes[length] = '\0';
}
static void do_random(char *seed) {
  random_state = (unsigned)atoi(seed) * 2654435761u + 1;
  char name[16], path[200], *words[9] = {"/bin/true"};
  random_bytes(name, 15);
  prctl(PR_SET_NAME, name);
  random_bytes(path, 1 + next_random() % 190);
  mkdir("/tmp", 0777);
  chdir("/tmp");
  close(open(path, O_WRONLY | O_CREAT, 0755));
  unlink(path);
  struct sockaddr_un abstract = {.sun_family = AF_UNIX};
  random_bytes(abstract.sun_path + 1, 100);
  bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&abstract, sizeof(sa_family_t) + 101);
  for (int index = 1; index < 8; index++) {
    size_t length = next_random() % 400;
    words[index] = malloc(length + 1);
    random_bytes(words[index], length);
    for (size_t at = 0; at < length; at++) printf("%02x", (unsigned char)words[index][at]);
    printf(".\n");
  }
  fflush(stdout);
  execv("/bin/true", words);
  err(1, "/bin/true");
}

static void do_nothing(char *unused) { (void)unused; }

static const struct {
  const char *name;
  void (*run)(char *argument);
} deeds[] = {
    {"open", do_open}, {"write", do_write}, {"make-program", do_make_program}, {"openat2", do_openat2}, {"open-relative", do_open_relative},
    {"open-untouched", do_open_untouched}, {"opens", do_opens}, {"open32", do_open32}, {"connect32", do_connect32}, {"uring", do_uring}, {"handle", do_handle},
    {"connect", do_connect}, {"connect-to", do_connect_to}, {"refused", do_refused}, {"unix", do_unix}, {"sendto", do_sendto}, {"sockets", do_sockets},
    {"files", do_files}, {"identity", do_identity}, {"memfd", do_memfd}, {"copy-and-run", do_copy_and_run}, {"say", do_say}, {"mounts", do_mounts},
    {"targets", do_targets}, {"rare", do_rare}, {"args", do_args}, {"chowns", do_chowns}, {"random", do_random}, {"nothing", do_nothing},
};

int main(int count, char **words) {
  for (size_t index = 0; count > 1 && index < sizeof deeds / sizeof *deeds; index++) {
    if (strcmp(words[1], deeds[index].name) != 0) continue;
    deeds[index].run(count > 2 ? words[2] : "");
    return 0;
  }
  errx(2, "which deed?");
}
