#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cgroups_set(struct cgroups *cgroups, char *const paths[], size_t count, struct failure *failure) {
  if (count > CGROUPS_MAX) return fail_as(failure, EINVAL, "folder: %zu are more than %d", count, CGROUPS_MAX);
  for (size_t i = 0; i < count; i++) {
    if (paths[i][0] != '/') return fail_as(failure, EINVAL, "folder: \"%.200s\" is not an absolute path", paths[i]);
  }
  for (size_t i = 0; i < count; i++) {
    cgroups->folder[i] = strdup(paths[i]);
    if (!cgroups->folder[i]) return fail(failure, "remember cgroup folder %.200s", paths[i]);
    cgroups->count = i + 1;
  }
  return 0;
}

static int open_folder(const char *path) { return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW); }

static int write_file(int folder, const char *name, const char *text) {
  int fd = openat(folder, name, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t wrote = write(fd, text, strlen(text));
  int error = errno;
  close(fd);
  errno = error;
  return wrote < 0 ? -1 : 0;
}

int cgroups_join(const struct cgroups *cgroups, struct failure *failure) {
  for (size_t i = 0; i < cgroups->count; i++) {
    int folder = open_folder(cgroups->folder[i]);
    int result = folder < 0 ? -1 : write_file(folder, "cgroup.procs", "0");
    if (result < 0) fail(failure, "join cgroup %.200s", cgroups->folder[i]);
    if (folder >= 0) close(folder);
    if (result < 0) return -1;
  }
  return 0;
}

/*
 * Calls `visit` for the cgroup and each below it, the deepest first. `folder` is closed. Returns whether every visit did.
 */
static bool walk(int folder, bool (*visit)(int folder)) {
  bool all = true;
  DIR *list = fdopendir(folder);
  if (!list) {
    close(folder);
    return false;
  }
  for (struct dirent *entry; (entry = readdir(list));) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
    int below = openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (below < 0) continue;
    all = walk(below, visit) && all;
  }
  all = visit(folder) && all;
  closedir(list);
  return all;
}

static bool walk_each(const struct cgroups *cgroups, bool (*visit)(int folder)) {
  bool all = true;
  for (size_t i = 0; i < cgroups->count; i++) {
    int folder = open_folder(cgroups->folder[i]);
    if (folder >= 0) all = walk(folder, visit) && all;
  }
  return all;
}

static bool thaw(int folder) {
  if (write_file(folder, "freezer.state", "THAWED") < 0) write_file(folder, "cgroup.freeze", "0");
  return true;
}

void cgroups_thaw(const struct cgroups *cgroups) { walk_each(cgroups, thaw); }

/* Calls `each` for every pid in the cgroup; false when there was none or it cannot be read. */
static bool any_process(int folder, void (*each)(pid_t pid)) {
  int fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char text[4096];
  bool any = false;
  long pid = 0;
  for (ssize_t got; (got = read(fd, text, sizeof text)) > 0;) {
    for (ssize_t i = 0; i < got; i++) {
      if (text[i] >= '0' && text[i] <= '9') {
        pid = pid * 10 + (text[i] - '0');
        continue;
      }
      /* 0: a process of another pid namespace, which is not ours to end by number. */
      any = true;
      if (pid > 1 && each) each((pid_t)pid);
      pid = 0;
    }
  }
  close(fd);
  return any;
}

static void end_process(pid_t pid) { kill(pid, SIGKILL); }

static bool kill_all(int folder) {
  if (write_file(folder, "cgroup.kill", "1") < 0) any_process(folder, end_process);
  return true;
}

void cgroups_kill(const struct cgroups *cgroups) {
  cgroups_thaw(cgroups);
  walk_each(cgroups, kill_all);
}

static bool is_empty(int folder) { return !any_process(folder, NULL); }

bool cgroups_are_empty(const struct cgroups *cgroups) { return walk_each(cgroups, is_empty); }

/* A folder's own name is not known to it: each removes its sub-folders, and cgroups_remove the top. */
static bool remove_below(int folder) {
  int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *list = copy < 0 ? NULL : fdopendir(copy);
  if (!list) return false;
  for (struct dirent *entry; (entry = readdir(list));) {
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') unlinkat(folder, entry->d_name, AT_REMOVEDIR);
  }
  closedir(list);
  return true;
}

int cgroups_remove(const struct cgroups *cgroups, struct failure *failure) {
  walk_each(cgroups, remove_below);
  int result = 0;
  for (size_t i = 0; i < cgroups->count; i++) {
    if (rmdir(cgroups->folder[i]) < 0 && errno != ENOENT) result = fail(failure, "remove cgroup %.200s", cgroups->folder[i]);
  }
  return result;
}
