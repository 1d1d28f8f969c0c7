#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define JOB_SIZE_MAX 16384
#define SOCKET_IN_WORKER 3
#define GUARDED_IN_WORKER 4

/* All in static memory, because a fork's stack pages are copied one by one. */
static char job_text[JOB_SIZE_MAX];

static void tell(const struct failure *failure) {
  /* EPIPE, the only likely error, means that nobody is left to tell. */
  if (write(SOCKET_IN_WORKER, failure, sizeof *failure) < 0) return;
}

static _Noreturn void give_up(const struct failure *failure) {
  tell(failure);
  _exit(127);
}

/* The socket has ended without a job: the monitor is dead. It ends workers it does not want by SIGKILL. */
static _Noreturn void guard(void) {
  if (fcntl(GUARDED_IN_WORKER, F_GETFD) >= 0) syscall(SYS_pidfd_send_signal, GUARDED_IN_WORKER, SIGKILL, NULL, 0);
  _exit(0);
}

static ssize_t receive_job(int stdio[3]) {
  char control[CMSG_SPACE(3 * sizeof(int))];
  struct iovec text = {.iov_base = job_text, .iov_len = sizeof job_text};
  struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t size;
  do size = recvmsg(SOCKET_IN_WORKER, &message, MSG_CMSG_CLOEXEC);
  while (size < 0 && errno == EINTR);
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (size <= 0 || !header || header->cmsg_len != CMSG_LEN(3 * sizeof(int))) return 0;
  memcpy(stdio, CMSG_DATA(header), 3 * sizeof(int));
  return size;
}

static void reset_signals(void) {
  sigset_t none;
  sigemptyset(&none);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(char *text, size_t size, const int stdio[3], pid_t monitor) {
  /* Nothing of the daemon's environment reaches a runtime. */
  static char *const environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
  char *argument[WORKER_ARGUMENTS_MAX + 1] = {0};
  size_t count = 0;
  for (char *next = text; next < text + size && count < WORKER_ARGUMENTS_MAX; next += strlen(next) + 1) argument[count++] = next;
  for (int fd = 0; fd < 3; fd++) dup2(stdio[fd], fd);
  umask(022);
  reset_signals();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != monitor) _exit(127);
  execve(argument[0], argument, environment);
  struct failure failure;
  fail(&failure, "execute %.200s", argument[0]);
  give_up(&failure);
}

static _Noreturn void work(int socket, const struct worker_wish *wish, pid_t monitor) {
  struct failure failure = {0};
  /* Only stdio, the socket and the guarded process stay open: or else a closed connection would not look closed to its peer. */
  int copy = wish->guarded < 0 ? -1 : fcntl(wish->guarded, F_DUPFD_CLOEXEC, GUARDED_IN_WORKER + 1);
  int link = fcntl(socket, F_DUPFD_CLOEXEC, GUARDED_IN_WORKER + 1);
  close(GUARDED_IN_WORKER);
  if (link < 0 || dup3(link, SOCKET_IN_WORKER, O_CLOEXEC) < 0) _exit(127);
  if (copy >= 0) dup3(copy, GUARDED_IN_WORKER, O_CLOEXEC);
  syscall(SYS_close_range, copy >= 0 ? GUARDED_IN_WORKER + 1 : GUARDED_IN_WORKER, ~0u, 0);
  setsid();
  if (wish->cgroups && cgroups_join(wish->cgroups, &failure) < 0) give_up(&failure);
  if (wish->prepare && wish->prepare(&failure) < 0) give_up(&failure);
  failure.error = 0;
  tell(&failure);
  int stdio[3];
  ssize_t size = receive_job(stdio);
  if (size <= 0) guard();
  become(job_text, (size_t)size, stdio, monitor);
}

int worker_fork(struct worker *worker, const struct worker_wish *wish, struct failure *failure) {
  int pair[2];
  pid_t monitor = getpid();
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return fail(failure, "make a worker's socket");
  pid_t pid = fork();
  if (pid == 0) work(pair[1], wish, monitor);
  int error = errno;
  close(pair[1]);
  if (pid < 0) {
    close(pair[0]);
    errno = error;
    return fail(failure, "fork a worker");
  }
  *worker = (struct worker){.pid = pid, .socket = pair[0]};
  return 0;
}

int worker_give(struct worker *worker, const struct worker_job *job, struct failure *failure) {
  char control[CMSG_SPACE(3 * sizeof(int))] = {0};
  size_t size = 0;
  for (size_t i = 0; i < WORKER_ARGUMENTS_MAX && job->argument[i]; i++) {
    size_t length = strlen(job->argument[i]) + 1;
    if (size + length > sizeof job_text) return fail_as(failure, E2BIG, "run %.200s: its arguments are too long", job->argument[0]);
    memcpy(job_text + size, job->argument[i], length);
    size += length;
  }
  struct iovec text = {.iov_base = job_text, .iov_len = size};
  struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(3 * sizeof(int));
  memcpy(CMSG_DATA(header), job->stdio, 3 * sizeof(int));
  if (sendmsg(worker->socket, &message, MSG_NOSIGNAL) == (ssize_t)size) return 0;
  int error = errno;
  if (worker_report(worker, failure) < 0) return -1; /* why it has ended is better than that it has */
  errno = error;
  return fail(failure, "hand %.200s to a worker", job->argument[0]);
}

int worker_report(struct worker *worker, struct failure *failure) {
  struct failure said;
  ssize_t got = recv(worker->socket, &said, sizeof said, MSG_DONTWAIT);
  if (got != (ssize_t)sizeof said) return 0;
  if (!said.error) return 1;
  *failure = said;
  return -1;
}

void worker_close(struct worker *worker) {
  if (worker->socket >= 0) close(worker->socket);
  worker->socket = -1;
}
