#include "scripts.h"

#include "event.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef OVERLAYFS_SUPER_MAGIC
#define OVERLAYFS_SUPER_MAGIC 0x794c7630
#endif

enum { PATIENCE_MS = 1000, ROOM = 4096, LINE = 8192, PATH = 4096 };

/* What one event is answered. */
struct answer {
  bool allow;
  __u32 judgement; /* IS_DENIED, WOULD_DENY; 0: none of our business */
};

static struct {
  int group; /* -1: not to be had */
  int look_at_program, judged;
  pthread_mutex_t lock;
  pthread_cond_t begun;
  /* What the answering thread is at; under the lock. */
  struct {
    bool busy, guarded; /* guarded: the other thread knows of it */
    unsigned turn;
    struct fanotify_event_metadata event;
    struct program_question question;
    bool answered;
  } now;
} scripts = {.group = -1, .lock = PTHREAD_MUTEX_INITIALIZER, .begun = PTHREAD_COND_INITIALIZER};

static void ask_kernel(const struct fanotify_event_metadata *event, struct program_question *question) {
  *question = (struct program_question){.task = (__u32)event->pid, .file = (__u32)event->fd};
  /* What it writes there comes back the same way. */
  LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = question, .ctx_size_in = sizeof *question);
  if (bpf_prog_test_run_opts(scripts.look_at_program, &options)) *question = (struct program_question){0};
}

static bool is_wanted(const struct program_question *question) {
  return question->instance_flags & (AUDIT_SCRIPTS | ENFORCE_SCRIPTS) && question->origin & (IS_UPPER | IS_MEMFD);
}

/* Of one that is wanted. What cannot be found out in time is taken for a script: refused where scripts are refused. */
static struct answer judge(const struct program_question *question, bool is_script) {
  if (!is_script) return (struct answer){.allow = true};
  bool enforced = question->instance_flags & ENFORCE_SCRIPTS;
  return (struct answer){.allow = !enforced, .judgement = enforced ? IS_DENIED : WOULD_DENY};
}

static void give(const struct fanotify_event_metadata *event, struct answer answer) {
  __u32 task = (__u32)event->pid;
  /* First, so that the end of the system call finds it. */
  if (answer.judgement) bpf_map_update_elem(scripts.judged, &task, &answer.judgement, BPF_ANY);
  struct fanotify_response response = {.fd = event->fd, .response = answer.allow ? FAN_ALLOW : FAN_DENY};
  while (write(scripts.group, &response, sizeof response) < 0 && errno == EINTR) {
  }
}

static bool begins_as_script(int file) {
  char first[2];
  return pread(file, first, sizeof first, 0) == (ssize_t)sizeof first && first[0] == '#' && first[1] == '!';
}

static void answer(const struct fanotify_event_metadata *event) {
  struct program_question question;
  ask_kernel(event, &question);
  if (!is_wanted(&question)) {
    give(event, (struct answer){.allow = true});
    close(event->fd);
    return;
  }
  pthread_mutex_lock(&scripts.lock);
  scripts.now.busy = true;
  scripts.now.answered = false;
  scripts.now.turn++;
  scripts.now.event = *event;
  scripts.now.question = question;
  if (!scripts.now.guarded) pthread_cond_signal(&scripts.begun);
  pthread_mutex_unlock(&scripts.lock);
  bool is_script = begins_as_script(event->fd); /* the one thing that may wait: for a disk */
  pthread_mutex_lock(&scripts.lock);
  if (!scripts.now.answered) give(event, judge(&question, is_script));
  scripts.now.busy = false;
  pthread_mutex_unlock(&scripts.lock);
  close(event->fd);
}

/* Reads what waits; `each` must answer it and close its file. */
static void read_events(void (*each)(const struct fanotify_event_metadata *event)) {
  _Alignas(struct fanotify_event_metadata) char room[ROOM];
  ssize_t length = read(scripts.group, room, sizeof room);
  const struct fanotify_event_metadata *event = (const void *)room;
  for (; FAN_EVENT_OK(event, length); event = FAN_EVENT_NEXT(event, length))
    if (event->fd >= 0) each(event);
}

static void *answer_all(void *unused) {
  struct pollfd group = {.fd = scripts.group, .events = POLLIN};
  for (;;) {
    poll(&group, 1, -1);
    read_events(answer);
  }
  return unused;
}

static void answer_unread(const struct fanotify_event_metadata *event) {
  struct program_question question;
  ask_kernel(event, &question);
  give(event, is_wanted(&question) ? judge(&question, true) : (struct answer){.allow = true});
  close(event->fd);
}

/* Answers in the other's place while it takes too long: what it is at, and what waits behind. */
static void *guard(void *unused) {
  pthread_mutex_lock(&scripts.lock);
  for (;;) {
    scripts.now.guarded = false;
    while (!scripts.now.busy) pthread_cond_wait(&scripts.begun, &scripts.lock);
    scripts.now.guarded = true;
    unsigned turn = scripts.now.turn;
    pthread_mutex_unlock(&scripts.lock);
    usleep(PATIENCE_MS * 1000);
    pthread_mutex_lock(&scripts.lock);
    while (scripts.now.busy && scripts.now.turn == turn) {
      if (!scripts.now.answered) give(&scripts.now.event, judge(&scripts.now.question, true));
      scripts.now.answered = true;
      pthread_mutex_unlock(&scripts.lock);
      struct pollfd group = {.fd = scripts.group, .events = POLLIN};
      if (poll(&group, 1, PATIENCE_MS / 10) > 0) read_events(answer_unread);
      pthread_mutex_lock(&scripts.lock);
    }
  }
  return unused;
}

const char *scripts_open(int look_at_program, int judged) {
  static char problem[128];
  scripts.look_at_program = look_at_program;
  scripts.judged = judged;
  scripts.group = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_TID | FAN_UNLIMITED_MARKS, O_RDONLY | O_CLOEXEC | O_LARGEFILE);
  pthread_t thread;
  const char *what = scripts.group < 0 ? "fanotify's permission events" : NULL;
  int failed = scripts.group < 0 ? errno : 0;
  /* Whether the kernel was built with them is told when something is marked: a folder, which nobody executes. */
  if (!failed && fanotify_mark(scripts.group, FAN_MARK_ADD, FAN_OPEN_EXEC_PERM, AT_FDCWD, "/") < 0) {
    failed = errno;
    what = "this kernel lets nobody answer an open by execve";
  }
  if (!failed) fanotify_mark(scripts.group, FAN_MARK_REMOVE, FAN_OPEN_EXEC_PERM, AT_FDCWD, "/");
  if (!failed && ((failed = pthread_create(&thread, NULL, answer_all, NULL)) || (failed = pthread_create(&thread, NULL, guard, NULL)))) what = "no thread to answer";
  if (!failed) return NULL;
  if (scripts.group >= 0) close(scripts.group);
  scripts.group = -1;
  snprintf(problem, sizeof problem, "%s: %s", what, strerror(failed));
  return problem;
}

/* In place: \040 and the like, as mountinfo writes blanks. */
static void decode(char *text) {
  char *to = text;
  for (const char *from = text; *from;) {
    if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] && from[3]) {
      *to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
      from += 4;
    } else {
      *to++ = *from++;
    }
  }
  *to = '\0';
}

static int mark(int root, const char *point) {
  struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  int folder = (int)syscall(SYS_openat2, root, point, &how, sizeof how);
  if (folder < 0) return 0; /* a file, or something lies over it: no mount that programs are found by */
  struct statfs status;
  int failed = 0;
  if (fstatfs(folder, &status) == 0 && (status.f_type == OVERLAYFS_SUPER_MAGIC || status.f_type == TMPFS_MAGIC) &&
      fanotify_mark(scripts.group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN_EXEC_PERM, folder, NULL) < 0)
    failed = errno;
  close(folder);
  return failed;
}

int scripts_watch(int process) {
  if (scripts.group < 0) return ENOTSUP;
  if (process < 0) return ESRCH;
  int root = openat(process, "root", O_PATH | O_DIRECTORY | O_CLOEXEC), list = openat(process, "mountinfo", O_RDONLY | O_CLOEXEC);
  FILE *mounts = list < 0 ? NULL : fdopen(list, "r");
  int failed = root < 0 || !mounts ? errno : 0;
  char line[LINE];
  while (!failed && fgets(line, sizeof line, mounts)) {
    char within[PATH], point[PATH], kind[32];
    const char *rest = strstr(line, " - ");
    if (!rest || sscanf(rest, " - %31s", kind) != 1 || sscanf(line, "%*s %*s %*s %4095s %4095s", within, point) != 2) continue;
    /* Of a part of a file system that is mounted there, the rest is somebody else's. */
    if (strcmp(within, "/") != 0 || (strcmp(kind, "overlay") != 0 && strcmp(kind, "tmpfs") != 0)) continue;
    decode(point);
    failed = mark(root, point);
  }
  if (mounts)
    fclose(mounts);
  else if (list >= 0)
    close(list);
  if (root >= 0) close(root);
  return failed;
}
