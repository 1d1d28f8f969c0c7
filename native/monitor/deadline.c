#include "deadline.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define KILL_AGAIN_MS 1000

static int arm(const struct deadline *deadline, int64_t at) {
  struct itimerspec when = {.it_value = {.tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000}};
  if (at <= 0) when.it_value = (struct timespec){.tv_nsec = 1}; /* zero would disarm it */
  return timerfd_settime(deadline->timer.fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static int64_t boot_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void on_timer(struct watch *watch, uint32_t events) {
  struct deadline *deadline = OWNER(watch, struct deadline, timer);
  struct failure ignored; /* a first process that has just ended */
  uint64_t times;
  (void)events;
  if (read(watch->fd, &times, sizeof times) < 0) return; /* an extension came first */
  if (deadline->phase == DEADLINE_WAITING && deadline->grace > 0) {
    deadline->phase = DEADLINE_STOPPING;
    cgroups_thaw(&deadline->container->cgroups); /* frozen, it could not stop in its own way */
    container_signal(deadline->container, deadline->signal, &ignored);
    arm(deadline, boot_ms() + deadline->grace);
    return;
  }
  deadline->phase = DEADLINE_KILLING;
  container_kill(deadline->container);
  arm(deadline, boot_ms() + KILL_AGAIN_MS);
}

int deadline_open(struct deadline *deadline, struct loop *loop, struct container *container, struct failure *failure) {
  *deadline = (struct deadline){.loop = loop, .container = container, .timer.fd = -1};
  int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  if (fd < 0) return fail(failure, "create a timer");
  return loop_watch(loop, &deadline->timer, fd, EPOLLIN, on_timer, failure);
}

int deadline_set(struct deadline *deadline, int64_t at, int64_t grace, int signal, struct failure *failure) {
  /* By the clock, not by whether its timer has been looked at yet: else who is quick could move it for ever. */
  bool passed = deadline->phase != DEADLINE_WAITING || (deadline->begun && boot_ms() >= deadline->at);
  if (passed) return fail_as(failure, ETIMEDOUT, "deadline: it has passed, and the container is being stopped");
  if (deadline->begun && arm(deadline, at) < 0) return fail(failure, "set the deadline");
  deadline->at = at;
  deadline->grace = grace;
  deadline->signal = signal;
  return 0;
}

int deadline_begin(struct deadline *deadline, struct failure *failure) {
  if (arm(deadline, deadline->at) < 0) return fail(failure, "set the deadline");
  deadline->begun = true;
  return 0;
}

void deadline_end(struct deadline *deadline) { loop_close(deadline->loop, &deadline->timer); }
