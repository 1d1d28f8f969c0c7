/*
 * dayfly-files: does one thing with the files of an instance, as an ordinary process in it. It is started as every exec is, with the instance's user, limits and
 * system call filter, and so can do nothing that the instance could not do by itself; what it says is no more to be believed than the instance is.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/answer.h"
#include "files/operations.h"
#include "wire/wire.h"

static int number(const char *text, const char *what, uint64_t most, uint64_t *value, struct failure *failure) {
  return wire_number(text, what, 0, most, value, failure);
}

/* "-": left open. */
static int number_or_none(const char *text, const char *what, uint64_t most, int64_t *value, struct failure *failure) {
  uint64_t found;
  *value = -1;
  if (!strcmp(text, "-")) return 0;
  if (number(text, what, most, &found, failure) < 0) return -1;
  *value = (int64_t)found;
  return 0;
}

/* MODE UID GID PARENTS */
static int making_of(char *const args[], struct making *making, struct failure *failure) {
  int64_t mode;
  uint64_t parents;
  if (number_or_none(args[0], "the mode", 07777, &mode, failure) < 0) return -1;
  if (number_or_none(args[1], "the user", UINT32_MAX - 1, &making->uid, failure) < 0) return -1;
  if (number_or_none(args[2], "the group", UINT32_MAX - 1, &making->gid, failure) < 0) return -1;
  if (number(args[3], "parents", 1, &parents, failure) < 0) return -1;
  making->mode = (int)mode;
  making->parents = parents;
  return 0;
}

static int run(int count, char *const args[], struct failure *failure) {
  const char *operation = args[0], *path = args[1];
  struct making making;
  uint64_t first, second;
  if (*path != '/') return fail_as(failure, EINVAL, "%.300s is no absolute path", path);
  if (!strcmp(operation, "stat") && count == 2) return files_stat(path, failure);
  if (!strcmp(operation, "list") && count == 4) {
    if (number(args[2], "the depth", 64, &first, failure) < 0 || number(args[3], "the limit", 100000, &second, failure) < 0) return -1;
    return files_list(path, (unsigned)first, (unsigned)second, failure);
  }
  if (!strcmp(operation, "read") && count == 4) {
    if (number(args[2], "the offset", INT64_MAX, &first, failure) < 0 || number(args[3], "the limit", INT64_MAX, &second, failure) < 0) return -1;
    return files_read(path, first, second, failure);
  }
  if (!strcmp(operation, "write") && count == 6) return making_of(args + 2, &making, failure) < 0 ? -1 : files_write(path, &making, failure);
  if (!strcmp(operation, "mkdir") && count == 6) return making_of(args + 2, &making, failure) < 0 ? -1 : files_make_folder(path, &making, failure);
  if (!strcmp(operation, "remove") && count == 3) return number(args[2], "recursive", 1, &first, failure) < 0 ? -1 : files_remove(path, first, failure);
  if (!strcmp(operation, "rename") && count == 3 && *args[2] == '/') return files_rename(path, args[2], failure);
  if (!strcmp(operation, "watch") && count == 3) return number(args[2], "recursive", 1, &first, failure) < 0 ? -1 : files_watch(path, first, failure);
  return fail_as(failure, EINVAL, "no operation %.100s with %d arguments", operation, count - 1);
}

int main(int count, char *args[]) {
  struct failure failure = {0};
  umask(0);
  if (count < 3) {
    fprintf(stderr, "dayfly-files is started by dayfly: see native/PROTOCOL.md\n");
    return 2;
  }
  if (run(count - 1, args + 1, &failure) < 0) answer_failure(&failure);
  answer_flush();
  return 0;
}
