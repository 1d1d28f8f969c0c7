#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t monotonic_ms(void) { return now_ms(CLOCK_MONOTONIC); }
int64_t wall_ms(void) { return now_ms(CLOCK_REALTIME); }

static void on_signal(struct watch *watch, uint32_t events) {
  (void)events;
  struct signalfd_siginfo info;
  while (read(watch->fd, &info, sizeof info) > 0) continue;
  loop_reap(OWNER(watch, struct loop, signals));
}

int loop_open(struct loop *loop, struct failure *failure) {
  loop->signals.fd = -1;
  loop->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (loop->epoll < 0) return fail(failure, "create an epoll descriptor");
  /* All signals are blocked; only the end of a child is ever looked at. The others stay pending, which is to ignore them. */
  sigset_t set;
  sigfillset(&set);
  if (sigprocmask(SIG_SETMASK, &set, NULL) < 0) return fail(failure, "block signals");
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) return fail(failure, "create a signal descriptor");
  return loop_watch(loop, &loop->signals, fd, EPOLLIN, on_signal, failure);
}

int loop_watch(struct loop *loop, struct watch *watch, int fd, uint32_t events, void (*ready)(struct watch *, uint32_t), struct failure *failure) {
  *watch = (struct watch){.fd = fd, .events = events, .ready = ready};
  struct epoll_event event = {.events = events, .data.ptr = watch};
  if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0) return 0;
  fail(failure, "watch descriptor %d", fd);
  close(fd);
  watch->fd = -1;
  return -1;
}

void loop_change(struct loop *loop, struct watch *watch, uint32_t events) {
  if (watch->fd < 0 || watch->events == events) return;
  struct epoll_event event = {.events = events, .data.ptr = watch};
  int operation = watch->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  watch->events = events;
  /* Can only fail for want of memory, when adding again: then the descriptor would be silent for ever, so say that it is ready once. */
  if (epoll_ctl(loop->epoll, operation, watch->fd, &event) < 0) watch->ready(watch, EPOLLERR);
}

void loop_pause(struct loop *loop, struct watch *watch) {
  if (watch->fd < 0 || !watch->events) return;
  epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
  watch->events = 0;
}

void loop_close(struct loop *loop, struct watch *watch) {
  if (watch->fd < 0) return;
  loop_pause(loop, watch);
  close(watch->fd);
  watch->fd = -1;
}

void loop_set_timer(struct loop *loop, struct timer *timer, int64_t milliseconds, void (*fire)(struct timer *)) {
  loop_clear_timer(loop, timer);
  *timer = (struct timer){.at = monotonic_ms() + milliseconds, .fire = fire, .next = loop->timers};
  loop->timers = timer;
}

void loop_clear_timer(struct loop *loop, struct timer *timer) {
  if (!timer->at) return;
  for (struct timer **at = &loop->timers; *at; at = &(*at)->next) {
    if (*at != timer) continue;
    *at = timer->next;
    break;
  }
  timer->at = 0;
}

static struct timer *earliest(const struct loop *loop) {
  struct timer *found = NULL;
  for (struct timer *timer = loop->timers; timer; timer = timer->next) {
    if (!found || timer->at < found->at) found = timer;
  }
  return found;
}

void loop_turn(struct loop *loop) {
  struct timer *timer = earliest(loop);
  int64_t wait = timer ? timer->at - monotonic_ms() : -1;
  if (timer && wait <= 0) {
    loop_clear_timer(loop, timer);
    timer->fire(timer);
    wait = 0; /* descriptors get their turn however many timers are due */
  }
  struct epoll_event event;
  int timeout = wait < 0 ? -1 : wait > 86400000 ? 86400000 : (int)wait;
  if (epoll_wait(loop->epoll, &event, 1, timeout) != 1) return;
  struct watch *watch = event.data.ptr;
  watch->ready(watch, event.events);
}

void loop_expect(struct loop *loop, struct child *child, pid_t pid, void (*ended)(struct child *, int)) {
  *child = (struct child){.pid = pid, .ended = ended, .next = loop->children};
  loop->children = child;
  for (unsigned i = 0; i < ORPHANS_KEPT; i++) {
    if (loop->orphans[i].pid != pid) continue;
    loop->orphans[i].pid = 0;
    loop_forget(loop, child);
    ended(child, loop->orphans[i].status);
    return;
  }
}

void loop_forget(struct loop *loop, struct child *child) {
  for (struct child **at = &loop->children; *at; at = &(*at)->next) {
    if (*at != child) continue;
    *at = child->next;
    break;
  }
  child->pid = 0;
}

void loop_reap(struct loop *loop) {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    struct child *child = loop->children;
    while (child && child->pid != pid) child = child->next;
    if (child) {
      loop_forget(loop, child);
      child->ended(child, status);
    } else {
      loop->orphans[loop->next_orphan].pid = pid;
      loop->orphans[loop->next_orphan].status = status;
      loop->next_orphan = (loop->next_orphan + 1) % ORPHANS_KEPT;
    }
  }
}
