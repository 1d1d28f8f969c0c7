/* Folders, and what all that is made has in common. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/answer.h"
#include "files/operations.h"

/* 1: made; 0: it was there. */
static int make_folders(const char *path, const struct making *making, struct failure *failure);

int open_parent(const char *path, bool parents, const char **name, struct failure *failure) {
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/');
  if (!slash || !slash[1] || !strcmp(slash + 1, ".") || !strcmp(slash + 1, "..")) {
    return fail_as(failure, EINVAL, "%.300s does not end with a name", path);
  }
  size_t length = (size_t)(slash - path);
  if (length >= sizeof folder) return fail_as(failure, ENAMETOOLONG, "the path is too long");
  memcpy(folder, path, length);
  folder[length] = 0;
  *name = slash + 1;
  struct making usual = {.mode = -1, .uid = -1, .gid = -1};
  if (parents && length && make_folders(folder, &usual, failure) < 0) return -1;
  int fd = open(length ? folder : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  return fd < 0 ? fail(failure, "open the folder %.300s", length ? folder : "/") : fd;
}

int set_as_asked(int fd, const char *path, const struct making *making, struct failure *failure) {
  if (making->uid >= 0 || making->gid >= 0) {
    uid_t uid = making->uid < 0 ? (uid_t)-1 : (uid_t)making->uid;
    gid_t gid = making->gid < 0 ? (gid_t)-1 : (gid_t)making->gid;
    if (fchown(fd, uid, gid) < 0) return fail(failure, "give %.300s away", path);
  }
  /* After the owner: that takes setuid bits away. */
  if (making->mode >= 0 && fchmod(fd, (mode_t)making->mode) < 0) return fail(failure, "set the mode of %.300s", path);
  return 0;
}

static int make_folders(const char *path, const struct making *making, struct failure *failure) {
  char sofar[PATH_MAX];
  size_t length = strlen(path);
  if (length >= sizeof sofar) return fail_as(failure, ENAMETOOLONG, "the path is too long");
  memcpy(sofar, path, length + 1);
  int made = 0;
  for (char *at = sofar + 1;; at++) {
    if (*at && *at != '/') continue;
    char end = *at;
    *at = 0;
    made = 0;
    if (mkdir(sofar, 0755) == 0) {
      made = 1;
      int fd = making->mode < 0 && making->uid < 0 && making->gid < 0 ? -1 : open(sofar, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      int result = fd < 0 ? 0 : set_as_asked(fd, sofar, making, failure);
      if (fd >= 0) close(fd);
      if (result < 0) return -1;
    } else if (errno != EEXIST && errno != EISDIR) {
      return fail(failure, "make the folder %.300s", sofar);
    }
    *at = end;
    if (!end) return made;
  }
}

int files_make_folder(const char *path, const struct making *making, struct failure *failure) {
  struct stat about;
  if (making->parents) {
    int made = make_folders(path, making, failure);
    if (made < 0) return -1;
    if (!made) {
      if (stat(path, &about) < 0) return fail(failure, "look at %.300s", path);
      if (!S_ISDIR(about.st_mode)) return fail_as(failure, EEXIST, "%.300s is there, and no folder", path);
    }
    answer("done", made ? "made" : "", NULL);
    return 0;
  }
  const char *name;
  int parent = open_parent(path, false, &name, failure);
  if (parent < 0) return -1;
  if (mkdirat(parent, name, 0755) < 0) return fail(failure, "make the folder %.300s", path);
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return fail(failure, "open the new folder %.300s", path);
  if (set_as_asked(fd, path, making, failure) < 0) return -1;
  answer("done", "made", NULL);
  return 0;
}
