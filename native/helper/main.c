/*
 * dayfly-helper: what the daemon needs of the kernel and Node cannot do. Requests on fd 0, answers on fd 1, one after the other; see
 * native/PROTOCOL.md. It keeps no state but an nftables context, ends when fd 0 does, and what it has spawned lives on.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "links.h"
#include "operations.h"
#include "wire/wire.h"

#define PROTOCOL_VERSION "1"
#define ANY_NUMBER ((size_t)-1)

static pthread_mutex_t answering = PTHREAD_MUTEX_INITIALIZER;

int answer(const struct call *call, const char *first, const char *second) {
  pthread_mutex_lock(&answering);
  int result = wire_ok(ANSWER_FD, call->tag, first, second, NULL);
  pthread_mutex_unlock(&answering);
  return result < 0 ? ANSWER_LOST : 0;
}

int answer_failure(const struct call *call, const struct failure *failure) {
  pthread_mutex_lock(&answering);
  int result = wire_error(ANSWER_FD, call->tag, failure);
  pthread_mutex_unlock(&answering);
  return result < 0 ? ANSWER_LOST : 0;
}

static int hello(const struct call *call, struct failure *failure) {
  (void)failure;
  char libseccomp[64];
  const struct scmp_version *version = seccomp_version();
  snprintf(libseccomp, sizeof libseccomp, "libseccomp %u.%u.%u", version->major, version->minor, version->micro);
  return answer(call, PROTOCOL_VERSION, libseccomp);
}

static const struct operation {
  const char *name;
  size_t min, max; /* arguments */
  int (*run)(const struct call *call, struct failure *failure);
} operations[] = {
  {"hello", 0, 0, hello},
  {"join-cgroup", 1, ANY_NUMBER, join_cgroup},
  {"spawn", 1, ANY_NUMBER, spawn_program},
  {"pipe-add", 1, 1, make_pipe},
  {"spawn-logging", 2, ANY_NUMBER, spawn_logging},
  {"bridge-add", 2, 2, add_bridge},
  {"port-isolate", 2, 2, isolate_port},
  {"link-del", 1, 1, delete_link},
  {"nft", 2, 2, run_nft},
  {"kill", 3, 3, kill_process},
  {"peer-uid", 2, 2, peer_uid},
  {"xattr", 2, 2, read_xattr},
  {"datagram", 2, 2, send_datagram},
  {"seccomp", 2, ANY_NUMBER, compile_seccomp},
};

static int run(const struct call *call, const char *name, struct failure *failure) {
  for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
    const struct operation *operation = &operations[i];
    if (strcmp(operation->name, name) != 0) continue;
    if (call->arguments < operation->min || call->arguments > operation->max) {
      return fail_as(failure, EINVAL, "%s: %zu arguments", operation->name, call->arguments);
    }
    return operation->run(call, failure);
  }
  return fail_as(failure, EINVAL, "there is no operation %.40s", name);
}

/* A zombie keeps its pid from being used again, so children are reaped here only: never while an operation looks at one. */
static void reap(int signals) {
  struct signalfd_siginfo ignored;
  while (read(signals, &ignored, sizeof ignored) > 0) continue;
  while (waitpid(-1, NULL, WNOHANG) > 0) continue;
}

static int serve(int signals) {
  struct pollfd sources[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
  for (;;) {
    if (poll(sources, 2, -1) < 0 && errno != EINTR) {
      perror("dayfly-helper: poll");
      return 1;
    }
    if (sources[1].revents) reap(signals);
    if (!sources[0].revents) continue;

    struct wire_request request;
    int got = wire_read(STDIN_FILENO, &request);
    if (got == 0) return 0;
    if (got < 0) {
      fprintf(stderr, "dayfly-helper: reading a request: %s\n", strerror(errno));
      return 1;
    }
    struct failure failure = {0};
    struct call call = {.tag = request.field[0], .argument = request.field + 2, .arguments = request.fields - 2};
    int result = run(&call, request.field[1], &failure);
    if (result == -1) result = answer_failure(&call, &failure);
    wire_free(&request);
    if (result == ANSWER_LOST) {
      fprintf(stderr, "dayfly-helper: answering: %s\n", strerror(errno));
      return 1;
    }
  }
}

int main(void) {
  signal(SIGPIPE, SIG_IGN); /* a reader that is gone is an error of write, not an end without a word */
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  sigprocmask(SIG_BLOCK, &children, NULL);
  int signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) {
    perror("dayfly-helper: signalfd");
    return 1;
  }
  int status = serve(signals);
  finish_deletions();
  return status;
}
