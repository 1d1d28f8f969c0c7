/* Reading: stat, list, read. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/answer.h"
#include "files/operations.h"

enum { PIECE = 32 * 1024 };

static void tell(int folder, const char *name, const char *path, const struct stat *about) {
  char link[PATH_MAX] = "";
  ssize_t size = S_ISLNK(about->st_mode) ? readlinkat(folder, name, link, sizeof link - 1) : 0;
  link[size > 0 ? size : 0] = 0;
  answer_entry(path, about, link);
}

int files_stat(const char *path, struct failure *failure) {
  struct stat about;
  if (fstatat(AT_FDCWD, path, &about, AT_SYMLINK_NOFOLLOW) < 0) return fail(failure, "look at %.300s", path);
  tell(AT_FDCWD, path, path, &about);
  return 0;
}

struct listing {
  unsigned left;
  char path[PATH_MAX]; /* below the folder that is listed */
};

/* Closes `folder`. What vanishes meanwhile is left out. */
static int list(struct listing *listing, int folder, size_t length, unsigned depth, struct failure *failure) {
  DIR *entries = fdopendir(folder);
  if (!entries) {
    close(folder);
    return fail(failure, "read a folder");
  }
  int result = 0;
  for (struct dirent *entry; result == 0 && (entry = readdir(entries));) {
    size_t size = strlen(entry->d_name);
    struct stat about;
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    if (length + size + 2 > sizeof listing->path || fstatat(folder, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) < 0) continue;
    if (listing->left == 0) {
      result = 1;
      break;
    }
    listing->left--;
    memcpy(listing->path + length, entry->d_name, size + 1);
    tell(folder, entry->d_name, listing->path, &about);
    if (depth <= 1 || !S_ISDIR(about.st_mode)) continue;
    int below = openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below < 0) continue; /* not ours to read, or something else by now */
    memcpy(listing->path + length + size, "/", 2);
    result = list(listing, below, length + size + 1, depth - 1, failure);
  }
  closedir(entries);
  return result;
}

int files_list(const char *path, unsigned depth, unsigned most, struct failure *failure) {
  static struct listing listing;
  int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return fail(failure, "open the folder %.300s", path);
  listing.left = most;
  int result = list(&listing, folder, 0, depth, failure);
  if (result < 0) return -1;
  answer("done", result == 1 ? "more" : "", NULL);
  return 0;
}

int files_read(const char *path, uint64_t offset, uint64_t most, struct failure *failure) {
  static char piece[PIECE];
  struct stat about;
  /* Without waiting: for a pipe nobody may ever come to. What is no file is refused, and a terminal must not become ours. */
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return fail(failure, "open %.300s", path);
  if (fstat(fd, &about) < 0) return fail(failure, "look at %.300s", path);
  if (S_ISDIR(about.st_mode)) return fail_as(failure, EISDIR, "%.300s is a folder", path);
  if (!S_ISREG(about.st_mode)) return fail_as(failure, EINVAL, "%.300s is no ordinary file", path);
  if (offset > INT64_MAX || lseek(fd, (off_t)offset, SEEK_SET) < 0) return fail(failure, "go to byte %llu of %.300s", (unsigned long long)offset, path);
  answer_entry(path, &about, "");
  answer_flush();
  uint64_t total = 0;
  while (total < most) {
    size_t wanted = most - total < PIECE ? (size_t)(most - total) : PIECE;
    ssize_t size = read(fd, piece, wanted);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail(failure, "read %.300s", path);
    if (size == 0) break;
    answer_data(piece, (size_t)size);
    total += (uint64_t)size;
  }
  close(fd);
  answer_number("done", total);
  return 0;
}
