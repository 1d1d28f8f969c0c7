#include "operations.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "attach.h"
#include "life.h"
#include "monitor.h"
#include "mounts.h"
#include "session.h"
#include "settings.h"

enum {
  STEP_BIND = 1,
  STEP_NAMESPACES = 2,
  STEP_NETWORK = 4,
  STEP_CGROUP = 8,
  STEP_IDMAP = 16,
  STEP_OVERLAY = 32,
  STEP_CREATE = 64,
  STEP_LOG = 128,
  STEP_DEADLINE = 256,
  STEP_START = 512,
};

#define IN(phase) (1u << (phase))
#define IN_SETUP IN(PHASE_SETUP)
#define IN_CREATED IN(PHASE_CREATED)
#define IN_LIVE (IN(PHASE_STARTING) | IN(PHASE_RUNNING))
#define IN_ANY (~0u)

/* One request as its handler sees it. */
struct call {
  struct monitor *monitor;
  struct connection *connection;
  const char *tag;
  char **argument;
  size_t count;
  struct failure *failure;
};

static enum outcome answer(const struct call *call, const char *const results[], size_t count) {
  const char *fields[8] = {call->tag, "ok"};
  for (size_t i = 0; i < count; i++) fields[i + 2] = results[i];
  control_send(call->connection, fields, count + 2);
  return OUTCOME_ANSWERED;
}

static enum outcome outcome_of(int result) { return result < 0 ? OUTCOME_FAILED : OUTCOME_DONE; }

/* 1 for the first word, 0 for the second, -1 and a failure for neither. */
static int choose(const struct call *call, size_t index, const char *what, const char *yes, const char *no) {
  if (!strcmp(call->argument[index], yes)) return 1;
  if (!strcmp(call->argument[index], no)) return 0;
  return fail_as(call->failure, EINVAL, "%s: \"%.40s\" is neither \"%s\" nor \"%s\"", what, call->argument[index], yes, no);
}

static int number(const struct call *call, size_t index, const char *what, uint64_t min, uint64_t max, uint64_t *value) {
  return wire_number(call->argument[index], what, min, max, value, call->failure);
}

static enum outcome do_bind(const struct call *call) {
  call->monitor->control.bound = call->connection;
  call->connection->watching = true;
  life_bound(call->monitor);
  return OUTCOME_DONE;
}

static enum outcome do_namespaces(const struct call *call) {
  int hybrid = choose(call, 0, "cgroups", "hybrid", "plain");
  if (hybrid < 0 || mounts_leave_host(hybrid, call->failure) < 0) return OUTCOME_FAILED;
  if (netns_prepare(&call->monitor->network, call->failure) < 0) return OUTCOME_FAILED;
  return outcome_of(mounts_prepare(call->failure));
}

static enum outcome do_network(const struct call *call) {
  char **argument = call->argument;
  struct network_request request = {argument[0], argument[1], argument[2], argument[3], argument[4]};
  return outcome_of(netns_connect(&call->monitor->network, &request, call->failure));
}

static void on_joined(struct watch *watch, uint32_t events) {
  struct monitor *monitor = OWNER(watch, struct monitor, joining);
  struct failure failure;
  (void)events;
  int said = worker_report(&monitor->container.worker, &failure);
  if (said == 0) fail_as(&failure, EIO, "join the cgroups: the worker has ended");
  loop_close(&monitor->loop, watch);
  control_answer(&monitor->control, REPLY_JOIN, NULL, said > 0 ? NULL : &failure);
}

static enum outcome do_cgroup(const struct call *call) {
  struct monitor *monitor = call->monitor;
  if (container_join(&monitor->container, call->argument, call->count, call->failure) < 0) return OUTCOME_FAILED;
  /* A descriptor of its own to watch: the worker's goes its own way with `create`. */
  int copy = dup(monitor->container.worker.socket);
  if (copy < 0) return fail(call->failure, "watch the worker");
  if (loop_watch(&monitor->loop, &monitor->joining, copy, EPOLLIN, on_joined, call->failure) < 0) return OUTCOME_FAILED;
  control_defer(&monitor->control, REPLY_JOIN, call->connection, call->tag, false);
  return OUTCOME_LATER;
}

static enum outcome do_idmap(const struct call *call) {
  uint64_t first, count;
  if (number(call, 1, "first host id", 0, UINT32_MAX - 1, &first) < 0) return OUTCOME_FAILED;
  if (number(call, 2, "count", 1, UINT32_MAX - first, &count) < 0) return OUTCOME_FAILED;
  return outcome_of(mounts_map_layers(call->argument[0], (uint32_t)first, (uint32_t)count, call->failure));
}

static enum outcome do_overlay(const struct call *call) {
  int is_volatile = choose(call, 3, "durability", "volatile", "durable");
  if (is_volatile < 0) return OUTCOME_FAILED;
  return outcome_of(mounts_overlay(call->argument[0], call->argument[1], call->argument[2], is_volatile, call->failure));
}

static enum outcome do_secret(const struct call *call) {
  uint64_t uid, gid;
  if (number(call, 1, "uid", 0, UINT32_MAX - 1, &uid) < 0 || number(call, 2, "gid", 0, UINT32_MAX - 1, &gid) < 0) return OUTCOME_FAILED;
  return outcome_of(mounts_secret(call->argument[0], (uint32_t)uid, (uint32_t)gid, call->argument[3], call->failure));
}

static enum outcome do_mount(const struct call *call) {
  char **argument = call->argument;
  int read_only = choose(call, 3, "access", "ro", "rw");
  if (read_only < 0) return OUTCOME_FAILED;
  if (!*argument[4] != !*argument[5]) return fail_as(call->failure, EINVAL, "ids: a map of users without one of groups, or the other way round");
  struct attach_request request = {argument[0], argument[1], argument[2], read_only, {argument[4], argument[5]}};
  return outcome_of(attach_mount(&request, call->failure));
}

static void on_copied(struct child *child, int status) {
  struct monitor *monitor = OWNER(child, struct monitor, copying);
  struct failure failure;
  int result = copy_end(status, &failure);
  if (!monitor->over) control_answer(&monitor->control, REPLY_CONTAINER, NULL, result < 0 ? &failure : NULL);
}

static enum outcome do_copy(const struct call *call) {
  uint64_t first, count;
  char map[64];
  int again = choose(call, 2, "when", "again", "empty");
  if (again < 0 || number(call, 3, "first host id", 0, UINT32_MAX - 1, &first) < 0) return OUTCOME_FAILED;
  if (number(call, 4, "count", 1, UINT32_MAX - first, &count) < 0) return OUTCOME_FAILED;
  snprintf(map, sizeof map, "0 %" PRIu64 " %" PRIu64, first, count);
  struct copy_request request = {call->argument[0], call->argument[1], again, map};
  int begun = copy_begin(&call->monitor->loop, &request, &call->monitor->copying, on_copied, call->failure);
  if (begun <= 0) return outcome_of(begun);
  control_defer(&call->monitor->control, REPLY_CONTAINER, call->connection, call->tag, true);
  return OUTCOME_LATER;
}

static enum outcome do_sysctl(const struct call *call) { return outcome_of(settings_sysctl(call->argument[0], call->argument[1], call->failure)); }

static enum outcome do_rlimit(const struct call *call) {
  return outcome_of(settings_rlimit(call->monitor->container.worker.pid, call->argument[0], call->argument[1], call->failure));
}

static enum outcome do_create(const struct call *call) {
  char **argument = call->argument;
  int crun = choose(call, 0, "runtime", "crun", "runsc");
  int tty = choose(call, 4, "stdio", "tty", "pipes");
  if (crun < 0 || tty < 0) return OUTCOME_FAILED;
  int open_stdin = choose(call, 5, "stdin", "stdin", "null");
  if (open_stdin < 0) return OUTCOME_FAILED;
  for (int i = 1; i <= 2; i++) {
    if (argument[i][0] != '/') return fail_as(call->failure, EINVAL, "%s: \"%.200s\" is not an absolute path", i == 1 ? "binary" : "state folder", argument[i]);
  }
  if (!*argument[3] || *argument[3] == '-' || *argument[3] == '.' || strchr(argument[3], '/') || strlen(argument[3]) > 100) {
    return fail_as(call->failure, EINVAL, "id: \"%.100s\" cannot be a container's", argument[3]);
  }
  struct container_request request = {argument[0], argument[1], argument[2], argument[3], tty, open_stdin};
  control_defer(&call->monitor->control, REPLY_CONTAINER, call->connection, call->tag, true);
  if (life_create(call->monitor, &request, call->failure) < 0) control_answer(&call->monitor->control, REPLY_CONTAINER, NULL, call->failure);
  return OUTCOME_LATER;
}

static enum outcome do_hostname(const struct call *call) {
  return outcome_of(container_set_hostname(&call->monitor->container, call->argument[0], call->failure));
}

static enum outcome do_log(const struct call *call) {
  uint64_t limit;
  if (number(call, 1, "limit", 0, INT64_MAX, &limit) < 0) return OUTCOME_FAILED;
  return outcome_of(log_open(&call->monitor->output.log, call->argument[0], limit, call->failure));
}

static enum outcome do_deadline(const struct call *call) {
  uint64_t at, grace, signal;
  if (number(call, 0, "deadline", 0, INT64_MAX / 4, &at) < 0 || number(call, 1, "grace", 0, INT64_MAX / 4, &grace) < 0) return OUTCOME_FAILED;
  if (number(call, 2, "stop signal", 1, (uint64_t)SIGRTMAX, &signal) < 0) return OUTCOME_FAILED;
  return outcome_of(deadline_set(&call->monitor->deadline, (int64_t)at, (int64_t)grace, (int)signal, call->failure));
}

static enum outcome do_start(const struct call *call) {
  control_defer(&call->monitor->control, REPLY_CONTAINER, call->connection, call->tag, true);
  if (life_start(call->monitor, call->failure) < 0) control_answer(&call->monitor->control, REPLY_CONTAINER, NULL, call->failure);
  return OUTCOME_LATER;
}

static enum outcome do_status(const struct call *call) {
  const struct monitor *monitor = call->monitor;
  char first[12], second[12];
  switch (monitor->phase) {
  case PHASE_CREATED:
  case PHASE_STARTING:
  case PHASE_RUNNING:
  case PHASE_DRAINING:
    snprintf(first, sizeof first, "%d", monitor->container.pid);
    return answer(call, (const char *[]){monitor->phase == PHASE_CREATED ? "created" : "running", first}, 2);
  case PHASE_EXITED:
    snprintf(first, sizeof first, "%d", monitor->exit.code);
    snprintf(second, sizeof second, "%d", monitor->exit.signal);
    return answer(call, (const char *[]){"exited", first, second, false}, 3);
  default:
    return answer(call, (const char *[]){"setup"}, 1);
  }
}

static enum outcome do_signal(const struct call *call) {
  uint64_t signal;
  if (number(call, 0, "signal", 1, (uint64_t)SIGRTMAX, &signal) < 0) return OUTCOME_FAILED;
  return outcome_of(container_signal(&call->monitor->container, (int)signal, call->failure));
}

static enum outcome do_kill(const struct call *call) {
  call->monitor->killed = true;
  container_kill(&call->monitor->container);
  return OUTCOME_DONE;
}

static enum outcome do_watch(const struct call *call) {
  answer(call, NULL, 0);
  call->connection->watching = true;
  life_tell(call->monitor, call->connection);
  return OUTCOME_ANSWERED;
}

static enum outcome do_exec(const struct call *call) {
  uint64_t rows, columns;
  int tty = choose(call, 1, "stdio", "tty", "pipes");
  if (tty < 0 || number(call, 2, "rows", 0, UINT16_MAX, &rows) < 0 || number(call, 3, "columns", 0, UINT16_MAX, &columns) < 0) return OUTCOME_FAILED;
  struct exec_request request = {call->argument[0], tty, (uint16_t)rows, (uint16_t)columns};
  return session_exec(call->connection, call->tag, &request, call->failure) < 0 ? OUTCOME_FAILED : OUTCOME_GONE;
}

static enum outcome do_attach(const struct call *call) {
  return session_attach(call->connection, call->tag, call->failure) < 0 ? OUTCOME_FAILED : OUTCOME_GONE;
}

static enum outcome do_quit(const struct call *call) {
  if (life_quit(call->monitor, call->failure) < 0) return OUTCOME_FAILED;
  control_defer(&call->monitor->control, REPLY_QUIT, call->connection, call->tag, true);
  return OUTCOME_LATER;
}

struct operation {
  const char *name;
  size_t min, max; /* arguments */
  enum outcome (*run)(const struct call *call);
  unsigned phases;
  unsigned needs; /* steps that must have been done */
  unsigned step;  /* what it is itself */
  bool repeats;   /* may be done again */
};

static const struct operation operations[] = {
    {"bind", 0, 0, do_bind, IN_SETUP, 0, STEP_BIND, false},
    {"namespaces", 1, 1, do_namespaces, IN_SETUP, STEP_BIND, STEP_NAMESPACES, false},
    {"network", 5, 5, do_network, IN_SETUP, STEP_NAMESPACES, STEP_NETWORK, false},
    {"cgroup", 1, CGROUPS_MAX, do_cgroup, IN_SETUP, STEP_NAMESPACES, STEP_CGROUP, false},
    {"idmap", 3, 3, do_idmap, IN_SETUP, STEP_NAMESPACES, STEP_IDMAP, false},
    {"overlay", 4, 4, do_overlay, IN_SETUP, STEP_IDMAP, STEP_OVERLAY, false},
    {"mount", 6, 6, do_mount, IN_SETUP, STEP_NAMESPACES, 0, true},
    {"copy", 5, 5, do_copy, IN_SETUP, STEP_OVERLAY, 0, true},
    {"sysctl", 2, 2, do_sysctl, IN_SETUP, STEP_NAMESPACES, 0, true},
    {"rlimit", 2, 2, do_rlimit, IN_SETUP, STEP_CGROUP, 0, true},
    {"secret", 4, 4, do_secret, IN_SETUP | IN(PHASE_CREATING) | IN_CREATED | IN_LIVE, STEP_NAMESPACES, 0, true},
    {"create", 6, 6, do_create, IN_SETUP, STEP_CGROUP | STEP_OVERLAY, STEP_CREATE, false},
    {"hostname", 1, 1, do_hostname, IN_CREATED, STEP_CREATE, 0, true},
    {"log", 2, 2, do_log, IN_CREATED, STEP_CREATE, STEP_LOG, false},
    {"deadline", 3, 3, do_deadline, IN_CREATED | IN_LIVE, STEP_CREATE, STEP_DEADLINE, true},
    {"start", 0, 0, do_start, IN_CREATED, STEP_LOG | STEP_DEADLINE, STEP_START, false},
    {"status", 0, 0, do_status, IN_ANY, 0, 0, true},
    {"signal", 1, 1, do_signal, IN_ANY, STEP_CREATE, 0, true},
    {"kill", 0, 0, do_kill, IN_ANY, STEP_CREATE, 0, true},
    {"watch", 0, 0, do_watch, IN_ANY, 0, 0, true},
    {"exec", 4, 4, do_exec, IN(PHASE_RUNNING), STEP_START, 0, true},
    {"attach", 0, 0, do_attach, IN_CREATED | IN_LIVE, STEP_CREATE, 0, true},
    {"quit", 0, 0, do_quit, IN_ANY, 0, 0, true},
};

static int check(const struct operation *operation, const struct monitor *monitor, size_t count, struct failure *failure) {
  const char *name = operation->name;
  if (count < operation->min || count > operation->max) {
    return fail_as(failure, EINVAL, "%s: %zu arguments where %zu to %zu are expected", name, count, operation->min, operation->max);
  }
  if (!operation->repeats && monitor->steps & operation->step) return fail_as(failure, EALREADY, "%s: has been done", name);
  for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
    unsigned step = operations[i].step;
    if (operation->needs & step & ~monitor->steps) return fail_as(failure, EINVAL, "%s: comes after \"%s\"", name, operations[i].name);
  }
  if (operation->phases & IN(monitor->phase)) return 0;
  if (monitor->phase == PHASE_DRAINING || monitor->phase == PHASE_EXITED) return fail_as(failure, ESRCH, "%s: the container has ended", name);
  if (monitor->phase == PHASE_FAILED) return fail_as(failure, ESRCH, "%s: the container has failed before its start", name);
  return fail_as(failure, EINVAL, "%s: not now", name);
}

enum outcome operations_run(struct monitor *monitor, struct connection *connection, const struct wire_request *request, struct failure *failure) {
  const char *name = request->field[1];
  struct call call = {monitor, connection, request->field[0], request->field + 2, request->fields - 2, failure};
  for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
    const struct operation *operation = &operations[i];
    if (strcmp(operation->name, name)) continue;
    if (check(operation, monitor, call.count, failure) < 0) return OUTCOME_FAILED;
    enum outcome outcome = operation->run(&call);
    if (outcome != OUTCOME_FAILED) monitor->steps |= operation->step;
    return outcome;
  }
  return fail_as(failure, EINVAL, "\"%.40s\" is not an operation", name);
}
