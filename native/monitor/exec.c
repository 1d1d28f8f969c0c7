#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "monitor.h"
#include "session_state.h"

#define HANG_UP_GRACE_MS 10000

static struct session *make_session(struct monitor *monitor, struct failure *failure) {
  /* Mapped, not from the heap: its pages go back as soon as it ends. */
  struct session *session = mmap(NULL, sizeof *session, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (session == MAP_FAILED) {
    fail(failure, "make a session");
    return NULL;
  }
  session->monitor = monitor;
  session->socket.fd = session->input.fd = session->output[0].watch.fd = session->output[1].watch.fd = -1;
  session->output[0].session = session->output[1].session = session;
  session->pidfd = session->console = session->worker.socket = -1;
  session->next = monitor->sessions;
  monitor->sessions = session;
  return session;
}

static void on_free(struct timer *timer) {
  struct session *session = OWNER(timer, struct session, timer);
  munmap(session, sizeof *session);
}

void session_free(struct session *session) {
  struct loop *loop = &session->monitor->loop;
  if (session->freed) return;
  session->freed = true;
  for (struct session **at = &session->monitor->sessions; *at; at = &(*at)->next) {
    if (*at != session) continue;
    *at = session->next;
    break;
  }
  session_close_input(session);
  loop_close(loop, &session->socket);
  loop_close(loop, &session->output[0].watch);
  loop_close(loop, &session->output[1].watch);
  loop_forget(loop, &session->launcher);
  loop_forget(loop, &session->process);
  worker_close(&session->worker);
  console_close(session->console, session->socket_name);
  if (session->pidfd >= 0) close(session->pidfd);
  loop_set_timer(loop, &session->timer, 0, on_free); /* whoever is using it on the stack may go on */
}

void session_resize(struct session *session, uint16_t rows, uint16_t columns) {
  struct winsize size = {.ws_row = rows, .ws_col = columns};
  session->rows = rows;
  session->columns = columns;
  bool known = rows && columns;
  if (session->tty && session->input.fd >= 0 && known) ioctl(session->input.fd, TIOCSWINSZ, &size);
}

void session_signal(struct session *session, int number) {
  struct failure ignored; /* it may have ended meanwhile, which its exit tells */
  if (session->attached) container_signal(&session->monitor->container, number, &ignored);
  else if (session->process.pid) syscall(SYS_pidfd_send_signal, session->pidfd, number, NULL, 0);
  else if (session->starting && number >= 1 && number <= 64) session->early_signals |= UINT64_C(1) << (number - 1);
}

/* They came before the runtime had told which process the command is. */
static void send_early_signals(struct session *session) {
  for (int number = 1; number <= 64; number++) {
    if (session->early_signals >> (number - 1) & 1) session_signal(session, number);
  }
  session->early_signals = 0;
}

static void on_hang_up_grace(struct timer *timer) {
  struct session *session = OWNER(timer, struct session, timer);
  if (session->launcher.pid) kill(session->launcher.pid, SIGKILL);
  session_signal(session, SIGKILL);
}

void session_hang_up(struct session *session) {
  struct loop *loop = &session->monitor->loop;
  if (session->hung_up) return;
  session->hung_up = true;
  loop_close(loop, &session->socket);
  session->out_from = session->out_to = 0;
  if (session->attached || session->ended) {
    session_free(session);
    return;
  }
  session_close_input(session);
  /* Closing the master is how a terminal hangs up. Pipes are read on: the command may want to say something in its last seconds. */
  if (session->tty) loop_close(loop, &session->output[0].watch);
  session_signal(session, SIGHUP);
  loop_set_timer(loop, &session->timer, HANG_UP_GRACE_MS, on_hang_up_grace);
}

/* --- a command --- */

static struct runtime_files files_of(const struct session *session) {
  return (struct runtime_files){.log = session->log, .pid = session->pid, .console = session->tty ? session->socket_name : NULL};
}

static void on_process_ended(struct child *child, int status) {
  struct session *session = OWNER(child, struct session, process);
  session_ended(session, WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), NULL);
}

static int take_terminal(struct session *session, struct failure *failure) {
  int listener = session->console;
  session->console = -1;
  int master = console_take(listener, session->socket_name, failure);
  if (master < 0) return -1;
  if (session->hung_up) {
    close(master);
    return 0;
  }
  int input = fcntl(master, F_DUPFD_CLOEXEC, 0);
  if (session_set_output(session, 0, master, failure) < 0) return -1;
  if (input < 0) return fail(failure, "open the terminal's input");
  if (session_set_input(session, input, failure) < 0) return -1;
  session_resize(session, session->rows, session->columns);
  return 0;
}

static int accept_launched(struct session *session, int status, pid_t *pid, struct failure *failure) {
  struct runtime_files files = files_of(session);
  int said;
  while ((said = worker_report(&session->worker, failure)) > 0) continue;
  if (said < 0) return -1;
  if (status != 0) return runtime_failure("start the command", status, &files, failure);
  unlink(files.log);
  *pid = runtime_read_pid(&files, failure);
  if (*pid < 0) return -1;
  return session->tty ? take_terminal(session, failure) : 0;
}

static void on_launched(struct child *child, int status) {
  struct session *session = OWNER(child, struct session, launcher);
  struct failure failure = {0};
  pid_t pid = 0;
  session->starting = false;
  int result = accept_launched(session, status, &pid, &failure);
  worker_close(&session->worker);
  console_close(session->console, session->socket_name);
  session->console = -1;
  if (result < 0) {
    if (pid > 0) kill(pid, SIGKILL);
    unlink(session->pid);
    session_ended(session, 0, &failure);
    return;
  }
  /* It may have ended and been reaped already: then there is no such process, and its end is told at once. */
  session->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  loop_expect(&session->monitor->loop, &session->process, pid, on_process_ended);
  send_early_signals(session);
  session_flow(session);
}

static void close_all(int fds[], size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (fds[i] >= 0) close(fds[i]);
    fds[i] = -1;
  }
}

/* Pipes, or nothing at all where the runtime makes a terminal. `stdio` is the command's side. */
static int open_stdio(struct session *session, int stdio[3], struct failure *failure) {
  if (session->tty) {
    session->console = console_listen(session->socket_name, failure);
    if (session->console < 0) return -1;
    for (int i = 0; i < 3; i++) stdio[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
    return stdio[0] < 0 || stdio[1] < 0 || stdio[2] < 0 ? fail(failure, "open /dev/null") : 0;
  }
  for (int i = 0; i < 3; i++) {
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) < 0) return fail(failure, "make the command's pipes");
    int own = i == 0 ? pair[1] : pair[0];
    stdio[i] = i == 0 ? pair[0] : pair[1];
    if (fcntl(own, F_SETFL, O_NONBLOCK) < 0) {
      close(own);
      return fail(failure, "set a pipe to non-blocking");
    }
    if ((i == 0 ? session_set_input(session, own, failure) : session_set_output(session, i - 1, own, failure)) < 0) return -1;
  }
  return 0;
}

static int launch(struct session *session, const char *process, struct failure *failure) {
  static unsigned serial; /* names of files; of this process only, like its folder */
  struct container *container = &session->monitor->container;
  struct worker_job job = {.stdio = {-1, -1, -1}};
  struct runtime_files files;
  snprintf(session->log, sizeof session->log, "exec-%u.log", ++serial);
  snprintf(session->pid, sizeof session->pid, "exec-%u.pid", serial);
  snprintf(session->socket_name, sizeof session->socket_name, "exec-%u.sock", serial);
  files = files_of(session);
  int result = open_stdio(session, job.stdio, failure);
  if (result == 0) result = container_take_worker(container, &session->worker, failure);
  if (result == 0) {
    runtime_exec_job(&container->runtime, process, &files, &job);
    result = worker_give(&session->worker, &job, failure);
    if (result < 0) kill(session->worker.pid, SIGKILL);
  }
  close_all(job.stdio, 3);
  return result;
}

/* From here on the connection is the session's: what goes wrong is told in the session. */
static int take_over(struct session *session, struct connection *connection, const char *tag, struct failure *failure) {
  int result = wire_ok(connection->watch.fd, tag, NULL);
  int fd = control_detach(connection);
  if (result < 0) close(fd);
  else if (session_watch_socket(session, fd, failure) == 0) return 0;
  session_hang_up(session);
  return -1;
}

int session_exec(struct connection *connection, const char *tag, const struct exec_request *request, struct failure *failure) {
  struct session *session = make_session(connection->monitor, failure);
  if (!session) return -1;
  session->tty = request->tty;
  session->rows = request->rows;
  session->columns = request->columns;
  if (launch(session, request->process, failure) < 0) {
    session_free(session);
    return -1;
  }
  session->starting = true;
  struct failure lost;
  take_over(session, connection, tag, &lost);
  loop_expect(&session->monitor->loop, &session->launcher, session->worker.pid, on_launched);
  session_flow(session);
  return 0;
}

/* --- the first process --- */

int session_attach(struct connection *connection, const char *tag, struct failure *failure) {
  struct monitor *monitor = connection->monitor;
  struct container *container = &monitor->container;
  struct session *session = make_session(monitor, failure);
  if (!session) return -1;
  session->attached = true;
  session->tty = container->runtime.tty;
  if (container->input >= 0) {
    /* A descriptor of its own: several may be attached at once. */
    int copy = fcntl(container->input, F_DUPFD_CLOEXEC, 0);
    if (copy < 0 || session_set_input(session, copy, failure) < 0) {
      if (copy < 0) fail(failure, "open the first process's stdin");
      session_free(session);
      return -1;
    }
  }
  struct failure lost;
  if (take_over(session, connection, tag, &lost) == 0) session_flow(session);
  return 0;
}

void session_end_container_input(struct session *session) {
  struct container *container = &session->monitor->container;
  if (container->input >= 0) close(container->input);
  container->input = -1;
  for (struct session *other = session->monitor->sessions; other; other = other->next) {
    if (other->attached && other != session) session_close_input(other);
  }
}

void sessions_container_ended(struct monitor *monitor) {
  for (struct session *session = monitor->sessions, *next; session; session = next) {
    next = session->next;
    if (session->attached) session_ended(session, monitor->exit.code, NULL);
  }
}

bool sessions_are_busy(const struct monitor *monitor) {
  for (const struct session *session = monitor->sessions; session; session = session->next) {
    if (!session->hung_up) return true;
  }
  return false;
}
