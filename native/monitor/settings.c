#include "settings.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wire/wire.h"

int settings_sysctl(const char *name, const char *value, struct failure *failure) {
  int folder = open("/proc/sys/net", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return fail(failure, "open /proc/sys/net");
  struct open_how how = {.flags = O_WRONLY | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
  int fd = (int)syscall(SYS_openat2, folder, name, &how, sizeof how);
  int result = fd < 0 || write(fd, value, strlen(value)) < 0 ? fail(failure, "write \"%.40s\" to net/%.100s", value, name) : 0;
  if (fd >= 0) close(fd);
  close(folder);
  return result;
}

static const struct {
  const char *name;
  int resource;
} limits[] = {
    {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},     {"cpu", RLIMIT_CPU},       {"data", RLIMIT_DATA},
    {"fsize", RLIMIT_FSIZE},     {"locks", RLIMIT_LOCKS},   {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE},
    {"nice", RLIMIT_NICE},       {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC},   {"rss", RLIMIT_RSS},
    {"rtprio", RLIMIT_RTPRIO},   {"rttime", RLIMIT_RTTIME}, {"sigpending", RLIMIT_SIGPENDING}, {"stack", RLIMIT_STACK},
};

static int raise_hard(pid_t pid, int resource, const char *name, rlim_t hard, struct failure *failure) {
  struct rlimit64 now;
  if (prlimit64(pid, resource, NULL, &now) < 0) return fail(failure, "read the limit %s of process %d", name, pid);
  if (hard <= now.rlim_max) return 0;
  now.rlim_max = hard;
  return prlimit64(pid, resource, &now, NULL) < 0 ? fail(failure, "raise the limit %s", name) : 0;
}

int settings_rlimit(pid_t worker, const char *name, const char *hard, struct failure *failure) {
  uint64_t value = RLIM64_INFINITY;
  if (strcmp(hard, "unlimited") && wire_number(hard, "hard limit", 0, INT64_MAX, &value, failure) < 0) return -1;
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    if (strcmp(limits[i].name, name)) continue;
    if (raise_hard(getpid(), limits[i].resource, name, value, failure) < 0) return -1;
    return raise_hard(worker, limits[i].resource, name, value, failure);
  }
  return fail_as(failure, EINVAL, "limit: there is none called \"%.40s\"", name);
}
