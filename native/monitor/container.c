#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mounts.h"

#define FIFO_PATIENCE_MS 5000
#define CONSOLE "console.sock"

static const struct runtime_files plain_files = {.log = "runtime.log", .pid = "runtime.pid", .console = NULL};
static const struct runtime_files terminal_files = {.log = "runtime.log", .pid = "runtime.pid", .console = CONSOLE};

static const struct runtime_files *files_of(const struct container *container) {
  return container->runtime.tty ? &terminal_files : &plain_files;
}

void container_init(struct container *container, struct loop *loop, const char *folder) {
  *container = (struct container){.loop = loop, .folder = folder, .pidfd = -1, .console = -1, .output = {-1, -1}, .input = -1, .terminal = -1};
  container->worker.socket = container->parked.socket = -1;
}

static void close_one(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

int container_join(struct container *container, char *const folders[], size_t count, struct failure *failure) {
  if (cgroups_set(&container->cgroups, folders, count, failure) < 0) return -1;
  return worker_fork(&container->worker, &(struct worker_wish){&container->cgroups, -1, NULL}, failure);
}

static int remember(struct runtime *runtime, const struct container_request *request, struct failure *failure) {
  runtime->kind = !strcmp(request->runtime, "runsc") ? RUNTIME_RUNSC : RUNTIME_CRUN;
  runtime->tty = request->tty;
  runtime->binary = strdup(request->binary);
  runtime->state = strdup(request->state);
  runtime->id = strdup(request->id);
  return runtime->binary && runtime->state && runtime->id ? 0 : fail(failure, "remember the runtime");
}

/* The runtime's descriptors, which become the container's. Those that the monitor keeps go into container->output and ->input. */
static int open_stdio(struct container *container, bool open_stdin, int stdio[3], struct failure *failure) {
  int in[2], out[2], err[2];
  bool tty = container->runtime.tty;
  if (tty || !open_stdin) stdio[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
  else if (pipe2(in, O_CLOEXEC) == 0) stdio[0] = in[0], container->input = in[1];
  if (tty) {
    stdio[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
    stdio[2] = open("/dev/null", O_WRONLY | O_CLOEXEC);
  } else {
    if (pipe2(out, O_CLOEXEC) == 0) container->output[0] = out[0], stdio[1] = out[1];
    if (pipe2(err, O_CLOEXEC) == 0) container->output[1] = err[0], stdio[2] = err[1];
  }
  if (stdio[0] < 0 || stdio[1] < 0 || stdio[2] < 0) return fail(failure, "open the container's stdin, stdout and stderr");
  for (int i = 0; i < 2; i++) {
    if (!tty && fcntl(container->output[i], F_SETFL, O_NONBLOCK) < 0) return fail(failure, "set a pipe to non-blocking");
  }
  if (container->input >= 0 && fcntl(container->input, F_SETFL, O_NONBLOCK) < 0) return fail(failure, "set a pipe to non-blocking");
  return 0;
}

static void close_stdio(struct container *container) {
  close_one(&container->output[0]);
  close_one(&container->output[1]);
  close_one(&container->input);
  close_one(&container->terminal);
}

static void on_init_ended(struct child *child, int status) {
  struct container *container = OWNER(child, struct container, init);
  close_one(&container->terminal); /* the master now ends after what is still in it */
  container_unpark(container);
  container->ended(container, status);
}

static int take_terminal(struct container *container, struct failure *failure) {
  int listener = container->console;
  container->console = -1;
  int master = console_take(listener, CONSOLE, failure);
  if (master < 0) return -1;
  container->output[0] = master;
  container->input = fcntl(master, F_DUPFD_CLOEXEC, 0);
  container->terminal = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (container->input < 0 || container->terminal < 0) return fail(failure, "open the container's terminal");
  return 0;
}

/* Why the program of a worker did not do its job: the worker's own report, or else the runtime's message. */
static int call_failure(const char *attempt, int status, struct worker *worker, const struct runtime_files *files, struct failure *failure) {
  int said;
  while ((said = worker_report(worker, failure)) > 0) continue;
  return said < 0 ? -1 : runtime_failure(attempt, status, files, failure);
}

static int accept_created(struct container *container, int status, struct failure *failure) {
  const struct runtime_files *files = files_of(container);
  if (status != 0) return call_failure("create the container", status, &container->worker, files, failure);
  unlink(files->log);
  pid_t pid = runtime_read_pid(files, failure);
  if (pid < 0) return -1;
  container->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  if (container->pidfd < 0) return fail(failure, "open the first process (pid %d)", pid);
  container->pid = pid;
  return container->runtime.tty ? take_terminal(container, failure) : 0;
}

static void finish(struct container *container, const struct failure *failure) {
  container_done *done = container->done;
  container->done = NULL;
  if (done) done(container, failure);
}

static void on_create_ended(struct child *child, int status) {
  struct container *container = OWNER(child, struct container, launcher);
  struct failure failure;
  int result = accept_created(container, status, &failure);
  worker_close(&container->worker);
  console_close(container->console, CONSOLE);
  container->console = -1;
  if (result < 0) {
    close_stdio(container);
    container_kill(container);
    finish(container, &failure);
    return;
  }
  pid_t pid = container->pid;
  finish(container, NULL);
  loop_expect(container->loop, &container->init, pid, on_init_ended);
}

int container_create(struct container *container, const struct container_request *request, container_done *done,
                     void (*ended)(struct container *container, int status), struct failure *failure) {
  struct worker_job job = {.stdio = {-1, -1, -1}};
  if (remember(&container->runtime, request, failure) < 0) return -1;
  int result = 0;
  if (request->tty) container->console = console_listen(CONSOLE, failure);
  if (request->tty && container->console < 0) result = -1;
  if (result == 0) result = open_stdio(container, request->open_stdin, job.stdio, failure);
  if (result == 0) {
    container->stdin_open = request->open_stdin;
    runtime_create_job(&container->runtime, container->folder, files_of(container), &job);
    result = worker_give(&container->worker, &job, failure);
  }
  for (int i = 0; i < 3; i++) close_one(&job.stdio[i]);
  if (result < 0) {
    console_close(container->console, CONSOLE);
    container->console = -1;
    close_stdio(container);
    return -1;
  }
  container->done = done;
  container->ended = ended;
  loop_expect(container->loop, &container->launcher, container->worker.pid, on_create_ended);
  return 0;
}

int container_set_hostname(const struct container *container, const char *name, struct failure *failure) {
  if (container->runtime.kind != RUNTIME_CRUN) return fail_as(failure, ENOTSUP, "hostname: gVisor takes it from config.json only");
  int own = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
  if (own < 0) return fail(failure, "open the UTS namespace");
  int result = 0;
  if (setns(container->pidfd, CLONE_NEWUTS) < 0) result = fail(failure, "enter the container's UTS namespace");
  else if (sethostname(name, strlen(name)) < 0) result = fail(failure, "set the hostname \"%.80s\"", name);
  if (setns(own, CLONE_NEWUTS) < 0 && result == 0) result = fail(failure, "come back from the container's UTS namespace");
  close(own);
  return result;
}

/* What the runtime itself has said, when nothing has run yet, is no output of the container. */
static void discard_early_output(const struct container *container) {
  char nothing[512];
  for (int i = 0; i < 2; i++) {
    while (container->output[i] >= 0 && read(container->output[i], nothing, sizeof nothing) > 0) continue;
  }
}

static void started(struct container *container) {
  container_park(container);
  finish(container, NULL);
}

static void on_retry(struct timer *timer) {
  struct container *container = OWNER(timer, struct container, retry);
  struct failure failure;
  int result = runtime_open_fifo(&container->runtime, &failure);
  if (result == 0) {
    started(container);
    return;
  }
  bool ended = container->init.pid == 0;
  if (result > 0 && !ended && monotonic_ms() < container->retry_until) {
    loop_set_timer(container->loop, timer, 1, on_retry);
    return;
  }
  if (result > 0) fail_as(&failure, ended ? ESRCH : ETIMEDOUT, "start: the first process %s", ended ? "has ended" : "does not wait for its start");
  finish(container, &failure);
}

static void on_start_ended(struct child *child, int status) {
  struct container *container = OWNER(child, struct container, launcher);
  struct failure failure;
  if (status != 0) call_failure("start the container", status, &container->worker, &plain_files, &failure);
  else unlink(plain_files.log);
  worker_close(&container->worker);
  if (status == 0) started(container);
  else finish(container, &failure);
}

/* gVisor is told by its own program; only the program's place is needed, not the cgroups. */
static int call_start(struct container *container, struct failure *failure) {
  struct worker_job job;
  if (worker_fork(&container->worker, &(struct worker_wish){NULL, -1, mounts_hide_core_sysctls}, failure) < 0) return -1;
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  job.stdio[0] = job.stdio[1] = job.stdio[2] = null;
  runtime_start_job(&container->runtime, &plain_files, &job);
  int result = null < 0 ? fail(failure, "open /dev/null") : worker_give(&container->worker, &job, failure);
  close_one(&null);
  if (result < 0) kill(container->worker.pid, SIGKILL);
  else loop_expect(container->loop, &container->launcher, container->worker.pid, on_start_ended);
  return result;
}

int container_start(struct container *container, struct output *output, container_done *done, struct failure *failure) {
  if (container->init.pid == 0) return fail_as(failure, ESRCH, "start: the first process has ended");
  discard_early_output(container);
  int standard = container->output[0], errors = container->output[1];
  container->output[0] = container->output[1] = -1;
  if (output_begin(output, standard, errors, failure) < 0) return -1;
  container->done = done;
  container->retry_until = monotonic_ms() + FIFO_PATIENCE_MS;
  if (container->runtime.kind == RUNTIME_RUNSC) return call_start(container, failure);
  on_retry(&container->retry);
  return 0;
}

int container_signal(const struct container *container, int number, struct failure *failure) {
  if (container->init.pid == 0) return fail_as(failure, ESRCH, "signal %d: the first process has ended", number);
  if (syscall(SYS_pidfd_send_signal, container->pidfd, number, NULL, 0) < 0) return fail(failure, "send signal %d to the first process", number);
  return 0;
}

void container_kill(const struct container *container) {
  if (container->launcher.pid) kill(container->launcher.pid, SIGKILL);
  if (container->pidfd >= 0 && container->init.pid) syscall(SYS_pidfd_send_signal, container->pidfd, SIGKILL, NULL, 0);
  cgroups_kill(&container->cgroups);
}
