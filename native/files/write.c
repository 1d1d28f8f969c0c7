/*
 * Writing, so that whoever reads sees the file of before or all of the new one: beside it, under a name of its own, and renamed. What is given up on the way,
 * by an end of the input before its last frame or by a signal, leaves the file of before, and nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/answer.h"
#include "files/operations.h"
#include "wire/wire.h"

enum { PIECE = 64 * 1024 };

static int parent = -1;
static char draft[32]; /* its name; empty while there is none */

static void give_up(int number) {
  if (*draft) unlinkat(parent, draft, 0);
  _exit(128 + number);
}

static int discard(void) {
  if (*draft) unlinkat(parent, draft, 0);
  *draft = 0;
  return -1;
}

/* 1: whole; 0: the input ended before. */
static int read_exactly(void *into, size_t size, struct failure *failure) {
  for (char *at = into; size;) {
    ssize_t got = read(STDIN_FILENO, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(failure, "read what is to be written");
    if (got == 0) return 0;
    at += got;
    size -= (size_t)got;
  }
  return 1;
}

static int take_in(int fd, const char *path, uint64_t *total, struct failure *failure) {
  static char piece[PIECE];
  for (;;) {
    unsigned char header[WIRE_HEADER_SIZE];
    int got = read_exactly(header, sizeof header, failure);
    if (got < 0) return -1;
    if (got == 0) return fail_as(failure, ECANCELED, "what is to be written to %.300s broke off", path);
    uint32_t size = wire_get_u32(header);
    if (size == 0) return 0;
    if (size > PIECE) return fail_as(failure, EPROTO, "a piece of %u bytes", size);
    got = read_exactly(piece, size, failure);
    if (got < 0) return -1;
    if (got == 0) return fail_as(failure, ECANCELED, "what is to be written to %.300s broke off", path);
    for (size_t done = 0; done < size;) {
      ssize_t put = write(fd, piece + done, size - done);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return fail(failure, "write %.300s", path);
      done += (size_t)put;
    }
    *total += size;
  }
}

static int open_draft(struct failure *failure) {
  static const int signals[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGXFSZ};
  uint64_t random;
  if (getrandom(&random, sizeof random, 0) != sizeof random) return fail(failure, "think of a name");
  char name[sizeof draft];
  snprintf(name, sizeof name, ".dayfly-%016llx", (unsigned long long)random);
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], give_up);
  int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return fail(failure, "make a file");
  memcpy(draft, name, sizeof draft);
  return fd;
}

int files_write(const char *path, const struct making *asked, struct failure *failure) {
  static char real[PATH_MAX];
  struct making making = *asked;
  struct stat before;
  const char *name;
  /* A link is written through, as everybody does it. One that leads to nothing is replaced. */
  const char *target = realpath(path, real) ? real : path;
  if (target == path && errno != ENOENT && errno != ENOTDIR) return fail(failure, "find %.300s", path);
  parent = open_parent(target, making.parents, &name, failure);
  if (parent < 0) return -1;
  bool there = fstatat(parent, name, &before, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISLNK(before.st_mode);
  if (there && S_ISDIR(before.st_mode)) return fail_as(failure, EISDIR, "%.300s is a folder", path);
  if (there && !S_ISREG(before.st_mode)) return fail_as(failure, EINVAL, "%.300s is no ordinary file", path);
  if (making.mode < 0) making.mode = there ? (int)(before.st_mode & 07777) : 0644;
  int fd = open_draft(failure);
  if (fd < 0) return fail_as(failure, errno, "write in the folder of %.300s: %s", path, strerror(errno));
  uint64_t total = 0;
  if (take_in(fd, path, &total, failure) < 0) return discard();
  /* It stays whose it was where that is in our power, and is ours where not. */
  if (there && making.uid < 0 && making.gid < 0 && fchown(fd, before.st_uid, before.st_gid) < 0 && errno != EPERM && errno != EINVAL) {
    fail(failure, "give %.300s to whose it was", path);
    return discard();
  }
  if (set_as_asked(fd, path, &making, failure) < 0) return discard();
  if (close(fd) < 0) {
    fail(failure, "write %.300s", path);
    return discard();
  }
  if (renameat(parent, draft, parent, name) < 0) {
    fail(failure, "put %.300s in its place", path);
    return discard();
  }
  *draft = 0;
  answer_number("done", total);
  return 0;
}
