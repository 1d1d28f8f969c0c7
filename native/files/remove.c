/* Removing and renaming. Nothing is followed: a link that takes the place of a folder meanwhile leads nowhere. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "files/answer.h"
#include "files/operations.h"

static int remove_at(int folder, const char *name, unsigned long long *count, struct failure *failure) {
  if (unlinkat(folder, name, 0) == 0) {
    ++*count;
    return 0;
  }
  if (errno == ENOENT) return 0; /* somebody else did */
  if (errno != EISDIR && errno != EPERM) return fail(failure, "remove %.255s", name);
  int first = errno;
  int below = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (below < 0) {
    if (errno == ENOTDIR || errno == ELOOP) errno = first;
    return fail(failure, "remove %.255s", name);
  }
  DIR *entries = fdopendir(below);
  if (!entries) {
    close(below);
    return fail(failure, "read the folder %.255s", name);
  }
  int result = 0;
  for (struct dirent *entry; result == 0 && (entry = readdir(entries));) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    result = remove_at(below, entry->d_name, count, failure);
  }
  closedir(entries);
  if (result < 0) return -1;
  if (unlinkat(folder, name, AT_REMOVEDIR) < 0 && errno != ENOENT) return fail(failure, "remove the folder %.255s", name);
  ++*count;
  return 0;
}

int files_remove(const char *path, bool recursive, struct failure *failure) {
  const char *name;
  unsigned long long count = 0;
  int parent = open_parent(path, false, &name, failure);
  if (parent < 0) return -1;
  if (faccessat(parent, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) return fail(failure, "remove %.300s", path);
  if (recursive) {
    /* A descriptor for each level. */
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
      files.rlim_cur = files.rlim_max;
      setrlimit(RLIMIT_NOFILE, &files);
    }
    if (remove_at(parent, name, &count, failure) < 0) return -1;
  } else {
    if (unlinkat(parent, name, 0) < 0) {
      if (errno != EISDIR && errno != EPERM) return fail(failure, "remove %.300s", path);
      if (unlinkat(parent, name, AT_REMOVEDIR) < 0) return fail(failure, "remove %.300s", path);
    }
    count = 1;
  }
  answer_number("done", count);
  return 0;
}

int files_rename(const char *from, const char *to, struct failure *failure) {
  const char *old, *new;
  int source = open_parent(from, false, &old, failure);
  int target = source < 0 ? -1 : open_parent(to, false, &new, failure);
  if (target < 0) return -1;
  if (renameat(source, old, target, new) < 0) return fail(failure, "rename %.200s to %.200s", from, to);
  answer("done", NULL);
  return 0;
}
