/*
 * dayfly-monitor FOLDER: keeps one instance. native/PROTOCOL.md says what it is told; life.h what becomes of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "life.h"
#include "monitor.h"

/* Field 22 of /proc/self/stat: with the pid, who this process is. The second field may hold blanks and brackets. */
static int read_start_time(unsigned long long *start, struct failure *failure) {
  char text[1024];
  int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (size < 0) fail(failure, "read /proc/self/stat");
  if (fd >= 0) close(fd);
  if (size < 0) return -1;
  text[size] = 0;
  char *at = strrchr(text, ')');
  for (int field = 2; at && field < 22; field++) at = strchr(at + 1, ' ');
  if (!at) return fail_as(failure, EPROTO, "read /proc/self/stat: too short");
  *start = strtoull(at + 1, NULL, 10);
  return 0;
}

static int write_identity(struct failure *failure) {
  char text[64];
  unsigned long long start = 0;
  if (read_start_time(&start, failure) < 0) return -1;
  int size = snprintf(text, sizeof text, "%d %llu\n", getpid(), start);
  int fd = open("monitor.pid.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  int result = fd < 0 || write(fd, text, (size_t)size) != size ? fail(failure, "write monitor.pid") : 0;
  if (fd >= 0) close(fd);
  if (result == 0 && rename("monitor.pid.new", "monitor.pid") < 0) result = fail(failure, "name monitor.pid");
  return result;
}

static int open_monitor(struct monitor *monitor, const char *folder, struct failure *failure) {
  monitor->folder = realpath(folder, NULL);
  if (!monitor->folder || chdir(monitor->folder) < 0) return fail(failure, "change to folder %.300s", folder);
  umask(0);
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) return fail(failure, "become a subreaper");
  if (loop_open(&monitor->loop, failure) < 0 || netns_open(&monitor->network, failure) < 0) return -1;
  container_init(&monitor->container, &monitor->loop, monitor->folder);
  output_init(&monitor->output, &monitor->loop);
  monitor->joining.fd = -1;
  if (deadline_open(&monitor->deadline, &monitor->loop, &monitor->container, failure) < 0) return -1;
  if (write_identity(failure) < 0) return -1;
  life_begin(monitor);
  return control_open(monitor, failure);
}

int main(int count, char **argument) {
  static struct monitor monitor;
  struct failure failure;
  if (count != 2) {
    dprintf(STDERR_FILENO, "usage: dayfly-monitor FOLDER\n");
    return 2;
  }
  mallopt(M_MMAP_THRESHOLD, 64 * 1024); /* large frames go back to the kernel at once */
  if (open_monitor(&monitor, argument[1], &failure) < 0) {
    dprintf(STDERR_FILENO, "dayfly-monitor %s: %s\n", argument[1], failure.message);
    return 1;
  }
  while (!monitor.over) loop_turn(&monitor.loop);
  unlink("monitor.sock");
  unlink("monitor.pid");
  return 0;
}
