#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "container.h"

#define PARK_AFTER_MS 250 /* a short job never pays for a worker it does not need */
#define PARK_AGAIN_MS 1000
#define DELETE_PATIENCE_MS 10000

static void on_park(struct timer *timer);

static void on_parked_ended(struct child *child, int status) {
  (void)status;
  struct container *container = OWNER(child, struct container, parked_child);
  worker_close(&container->parked);
  container->parked.pid = 0;
  /* The kernel's memory limit may choose the worker: another one guards on. */
  if (container->init.pid) loop_set_timer(container->loop, &container->park, PARK_AGAIN_MS, on_park);
}

static void on_park(struct timer *timer) {
  struct container *container = OWNER(timer, struct container, park);
  struct failure ignored; /* an exec forks its own then */
  if (container->init.pid == 0 || container->parked.pid) return;
  if (worker_fork(&container->parked, &(struct worker_wish){&container->cgroups, container->pidfd, NULL}, &ignored) < 0) return;
  loop_expect(container->loop, &container->parked_child, container->parked.pid, on_parked_ended);
}

void container_park(struct container *container) { loop_set_timer(container->loop, &container->park, PARK_AFTER_MS, on_park); }

int container_take_worker(struct container *container, struct worker *worker, struct failure *failure) {
  if (!container->parked.pid) return worker_fork(worker, &(struct worker_wish){&container->cgroups, container->pidfd, NULL}, failure);
  *worker = container->parked;
  container->parked = (struct worker){.socket = -1};
  loop_forget(container->loop, &container->parked_child);
  container_park(container);
  return 0;
}

void container_unpark(struct container *container) {
  loop_clear_timer(container->loop, &container->park);
  if (container->parked.pid) kill(container->parked.pid, SIGKILL);
}

static void on_delete_ended(struct child *child, int status) {
  (void)child;
  (void)status; /* there may be nothing left to delete */
}

void container_forget(struct container *container) {
  if (!container->runtime.id) return;
  runtime_forget(&container->runtime);
  if (container->runtime.kind != RUNTIME_RUNSC) return;
  static const struct runtime_files files = {.log = "runtime.log"};
  struct failure ignored;
  struct worker_job job;
  struct child child = {0};
  if (worker_fork(&container->worker, &(struct worker_wish){NULL, -1, NULL}, &ignored) < 0) return;
  job.stdio[0] = job.stdio[1] = job.stdio[2] = open("/dev/null", O_RDWR | O_CLOEXEC);
  runtime_delete_job(&container->runtime, &files, &job);
  if (worker_give(&container->worker, &job, &ignored) < 0) kill(container->worker.pid, SIGKILL);
  if (job.stdio[0] >= 0) close(job.stdio[0]);
  loop_expect(container->loop, &child, container->worker.pid, on_delete_ended);
  for (int64_t until = monotonic_ms() + DELETE_PATIENCE_MS; child.pid && monotonic_ms() < until; loop_reap(container->loop)) usleep(2000);
  if (child.pid) {
    kill(child.pid, SIGKILL);
    loop_forget(container->loop, &child);
  }
  worker_close(&container->worker);
}
