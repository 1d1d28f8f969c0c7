#include "life.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mounts.h"
#include "session.h"

#define BIND_PATIENCE_MS 10000
#define EXITED_PATIENCE_MS (24 * 3600 * 1000)
#define EXIT_FILE_RETRY_MS 1000
#define KILL_PATIENCE_MS 10000
/* How long `quit` waits for the readers of sessions whose command has ended. */
#define SESSION_PATIENCE_MS 5000
#define SESSION_POLL_MS 5
#define REMOVE_PATIENCE_MS 2000

/* For people: on stderr, which is the daemon's log. */
static void complain(const struct monitor *monitor, const struct failure *failure) {
  dprintf(STDERR_FILENO, "dayfly-monitor %s: %s\n", monitor->folder, failure->message);
}

static void end_now(struct monitor *monitor) {
  struct failure failure;
  if (life_end(monitor, &failure) < 0) complain(monitor, &failure);
  monitor->over = true;
}

static void on_nobody_bound(struct timer *timer) { end_now(OWNER(timer, struct monitor, patience)); }
static void on_nobody_quit(struct timer *timer) { end_now(OWNER(timer, struct monitor, patience)); }

static void on_never_started(struct timer *timer) { end_now(OWNER(timer, struct monitor, patience)); }

static bool has_ended(const struct monitor *monitor) { return monitor->phase == PHASE_EXITED || monitor->phase == PHASE_FAILED; }

static void on_quit(struct timer *timer) {
  struct monitor *monitor = OWNER(timer, struct monitor, quit);
  struct failure failure;
  if (!has_ended(monitor)) return; /* enter() asks again */
  if (sessions_are_busy(monitor) && monotonic_ms() < monitor->quit_by) {
    loop_set_timer(&monitor->loop, timer, SESSION_POLL_MS, on_quit);
    return;
  }
  int result = life_end(monitor, &failure);
  monitor->quitting = false;
  control_answer(&monitor->control, REPLY_QUIT, NULL, result < 0 ? &failure : NULL);
}

/* Every change of the phase goes through here. */
static void enter(struct monitor *monitor, enum phase phase) {
  monitor->phase = phase;
  if (monitor->quitting && has_ended(monitor)) loop_set_timer(&monitor->loop, &monitor->quit, 0, on_quit);
}

int life_quit(struct monitor *monitor, struct failure *failure) {
  if (!has_ended(monitor) && !monitor->killed) return fail_as(failure, EBUSY, "quit: the container has not ended");
  if (monitor->quitting) return fail_as(failure, EALREADY, "quit: has been asked");
  monitor->quitting = true;
  monitor->quit_by = monotonic_ms() + SESSION_PATIENCE_MS;
  loop_set_timer(&monitor->loop, &monitor->quit, 0, on_quit);
  return 0;
}

void life_begin(struct monitor *monitor) { loop_set_timer(&monitor->loop, &monitor->patience, BIND_PATIENCE_MS, on_nobody_bound); }

void life_bound(struct monitor *monitor) { loop_clear_timer(&monitor->loop, &monitor->patience); }

void life_unbound(struct monitor *monitor) {
  if (!monitor->unbound && !monitor->over) end_now(monitor);
}

static void tell_started(const struct monitor *monitor, struct connection *connection) {
  char time[24];
  snprintf(time, sizeof time, "%" PRId64, monitor->started);
  control_send(connection, (const char *[]){"0", "started", time}, 3);
}

static void tell_exited(const struct monitor *monitor, struct connection *connection) {
  const struct exit_status *exit = &monitor->exit;
  char code[12], signal[12], ended[24], bytes[24], lines[24], received[24], sent[24];
  snprintf(code, sizeof code, "%d", exit->code);
  snprintf(signal, sizeof signal, "%d", exit->signal);
  snprintf(ended, sizeof ended, "%" PRId64, exit->ended);
  snprintf(bytes, sizeof bytes, "%" PRIu64, exit->dropped_bytes);
  snprintf(lines, sizeof lines, "%" PRIu64, exit->dropped_lines);
  snprintf(received, sizeof received, "%" PRIu64, exit->received);
  snprintf(sent, sizeof sent, "%" PRIu64, exit->sent);
  control_send(connection, (const char *[]){"0", "exited", code, signal, exit->deadline ? "deadline" : "exit", ended, bytes, lines, received, sent},
               exit->counted ? 10 : 8);
}

void life_tell(const struct monitor *monitor, struct connection *connection) {
  if (monitor->started) tell_started(monitor, connection);
  if (monitor->phase == PHASE_EXITED) tell_exited(monitor, connection);
}

static void on_exit_retry(struct timer *timer) {
  struct monitor *monitor = OWNER(timer, struct monitor, exit_retry);
  struct failure ignored;
  if (exit_write(&monitor->exit, &ignored) < 0) loop_set_timer(&monitor->loop, timer, EXIT_FILE_RETRY_MS, on_exit_retry);
}

static void on_output_done(struct output *output) {
  struct monitor *monitor = OWNER(output, struct monitor, output);
  struct failure failure;
  monitor->exit.dropped_bytes = output->log.dropped_bytes;
  monitor->exit.dropped_lines = output->log.dropped_lines;
  monitor->exit.counted = netns_count(&monitor->exit.received, &monitor->exit.sent);
  enter(monitor, PHASE_EXITED);
  if (exit_write(&monitor->exit, &failure) < 0) {
    complain(monitor, &failure);
    loop_set_timer(&monitor->loop, &monitor->exit_retry, EXIT_FILE_RETRY_MS, on_exit_retry);
  }
  loop_set_timer(&monitor->loop, &monitor->patience, EXITED_PATIENCE_MS, on_nobody_quit);
  for (struct connection *one = monitor->control.connections; one; one = one->next) {
    if (one->watching) tell_exited(monitor, one);
  }
  sessions_container_ended(monitor);
  /* Nothing can use the network any more; and the veth is gone before anybody counts. The end of the namespace would do it later. */
  if (netns_disconnect(&monitor->network, &failure) < 0) complain(monitor, &failure);
}

static void on_container_ended(struct container *container, int status) {
  struct monitor *monitor = OWNER(container, struct monitor, container);
  if (monitor->over) return;
  if (monitor->phase == PHASE_CREATED) {
    enter(monitor, PHASE_FAILED);
    /* It waited for a start that can never come: whoever keeps it is told by the end of the connection. */
    if (!monitor->killed) loop_set_timer(&monitor->loop, &monitor->patience, 0, on_never_started);
  }
  if (monitor->phase == PHASE_STARTING) {
    monitor->ended_early = true;
    monitor->early_status = status;
  }
  if (monitor->phase != PHASE_RUNNING) return;
  deadline_end(&monitor->deadline);
  enter(monitor, PHASE_DRAINING);
  exit_from_wait(&monitor->exit, status);
  monitor->exit.deadline = monitor->deadline.phase != DEADLINE_WAITING;
  monitor->exit.ended = wall_ms();
  output_finish(&monitor->output, on_output_done);
}

static void on_created(struct container *container, const struct failure *failure) {
  struct monitor *monitor = OWNER(container, struct monitor, container);
  char pid[12];
  if (monitor->over) return;
  enter(monitor, failure ? PHASE_FAILED : PHASE_CREATED);
  snprintf(pid, sizeof pid, "%d", container->pid);
  control_answer(&monitor->control, REPLY_CONTAINER, pid, failure);
}

int life_create(struct monitor *monitor, const struct container_request *request, struct failure *failure) {
  enter(monitor, PHASE_CREATING);
  if (container_create(&monitor->container, request, on_created, on_container_ended, failure) == 0) return 0;
  enter(monitor, PHASE_FAILED);
  return -1;
}

static void on_started(struct container *container, const struct failure *failure) {
  struct monitor *monitor = OWNER(container, struct monitor, container);
  char time[24];
  if (monitor->over) return;
  if (failure) {
    enter(monitor, PHASE_FAILED);
    monitor->unbound = false;
    /* crun was not let go. What runsc has done before it failed, nobody knows. */
    if (container->runtime.kind == RUNTIME_CRUN) exit_release();
    control_answer(&monitor->control, REPLY_CONTAINER, NULL, failure);
    if (!monitor->control.bound) end_now(monitor);
    return;
  }
  enter(monitor, PHASE_RUNNING);
  monitor->started = wall_ms();
  snprintf(time, sizeof time, "%" PRId64, monitor->started);
  control_answer(&monitor->control, REPLY_CONTAINER, time, NULL);
  for (struct connection *one = monitor->control.connections; one; one = one->next) {
    if (one->watching) tell_started(monitor, one);
  }
  if (monitor->ended_early) on_container_ended(container, monitor->early_status);
}

int life_start(struct monitor *monitor, struct failure *failure) {
  enter(monitor, PHASE_STARTING);
  monitor->unbound = true;
  if (exit_reserve(failure) == 0 && deadline_begin(&monitor->deadline, failure) == 0 &&
      container_start(&monitor->container, &monitor->output, on_started, failure) == 0) return 0;
  exit_release();
  enter(monitor, PHASE_FAILED);
  monitor->unbound = false;
  return -1;
}

/* Everything that runs is killed until there is no child and the cgroups are empty. */
static int kill_all(struct monitor *monitor, struct failure *failure) {
  struct container *container = &monitor->container;
  container_unpark(container);
  if (container->worker.socket >= 0) kill(container->worker.pid, SIGKILL);
  if (monitor->copying.pid) kill(monitor->copying.pid, SIGKILL);
  for (int64_t until = monotonic_ms() + KILL_PATIENCE_MS, pause = 500;; pause = pause < 20000 ? pause * 2 : pause) {
    container_kill(container);
    loop_reap(&monitor->loop);
    siginfo_t info;
    bool childless = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
    if (childless && cgroups_are_empty(&container->cgroups)) return 0;
    if (monotonic_ms() > until) return fail_as(failure, EBUSY, "end the container: some of its processes live on after SIGKILL");
    usleep((useconds_t)pause);
  }
}

/* A cgroup stays busy for a moment after its last process. */
static int remove_cgroups(struct monitor *monitor, struct failure *failure) {
  for (int64_t until = monotonic_ms() + REMOVE_PATIENCE_MS;; usleep(2000)) {
    if (cgroups_remove(&monitor->container.cgroups, failure) == 0) return 0;
    if (monotonic_ms() > until) return -1;
  }
}

/* What a call that was cut off may have left in FOLDER. exit.new is not among it: it says that what has no exit status may have run. */
static void remove_files(void) {
  static const char *const names[] = {"runtime.pid", "runtime.log", "console.sock", "copy.log"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) unlink(names[i]);
}

int life_end(struct monitor *monitor, struct failure *failure) {
  bool exited = monitor->phase == PHASE_EXITED;
  monitor->over = true; /* callbacks of what ends now have nothing to do */
  int killed = kill_all(monitor, failure);
  container_forget(&monitor->container);
  struct failure network;
  if (netns_disconnect(&monitor->network, &network) < 0) complain(monitor, &network);
  mounts_undo();
  remove_files();
  int removed = killed < 0 ? -1 : remove_cgroups(monitor, failure);
  if (killed == 0 && removed == 0) return 0;
  monitor->over = !exited;
  return -1;
}
