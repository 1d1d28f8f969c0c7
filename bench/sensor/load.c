/*
 * Load for bench/sensor.ts.
 *
 *     load execs RATE SECONDS | opens RATE SECONDS PATH | chowns COUNT PATH | exec-loop COUNT | open-loop COUNT PATH
 *
 * Rates are kept by waiting for the time at which each is due. Writes "COUNT WALL-NS CPU-NS": what was done, in which time, and what it cost, its children included.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SECOND = 1000000000, BATCHES_PER_SECOND = 1000 };

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * SECOND + time.tv_nsec;
}

static int64_t cpu_of(int who) {
  struct rusage usage;
  getrusage(who, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * (int64_t)SECOND + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * (int64_t)1000;
}

static void one_exec(const char *self) {
  pid_t child = vfork();
  if (child == 0) {
    execl(self, "load", "nothing", NULL);
    _exit(127);
  }
  int status;
  if (child < 0 || waitpid(child, &status, 0) != child || status) errx(1, "an exec failed");
}

static void one_open(const char *path) {
  int fd = open(path, O_RDONLY);
  if (fd < 0) err(1, "%s", path);
  close(fd);
}

static void one(const char *what, const char *argument) {
  if (strncmp(what, "exec", 4) == 0)
    one_exec(argument);
  else
    one_open(argument);
}

int main(int count, char **words) {
  if (count > 1 && strcmp(words[1], "nothing") == 0) return 0;
  if (count < 3) errx(2, "what load?");
  const char *what = words[1], *argument = count > 3 ? words[count - 1] : words[0];
  if (strcmp(what, "execs") == 0) argument = words[0];
  int64_t begin = now(), done = 0;
  if (strcmp(what, "execs") == 0 || strcmp(what, "opens") == 0) {
    const int64_t rate = atoll(words[2]), ticks = atoll(words[3]) * BATCHES_PER_SECOND;
    for (int64_t tick = 0; tick < ticks; tick++) {
      const int64_t due = (tick + 1) * rate / BATCHES_PER_SECOND;
      for (; done < due; done++) one(what, argument);
      const int64_t wait = begin + (tick + 1) * (SECOND / BATCHES_PER_SECOND) - now();
      if (wait > 0) nanosleep(&(struct timespec){.tv_nsec = wait}, NULL);
    }
  } else {
    for (const int64_t times = atoll(words[2]); done < times; done++) {
      /* No two are the same, so none can be joined. */
      if (strcmp(what, "chowns") == 0 && chown(argument, (uid_t)done, 0)) err(1, "%s", argument);
      if (strcmp(what, "chowns") != 0) one(what, argument);
    }
  }
  printf("%lld %lld %lld\n", (long long)done, (long long)(now() - begin), (long long)(cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN)));
  return 0;
}
