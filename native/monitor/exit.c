#include "exit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEMPORARY "exit.new"
#define SIZE_MAX_BYTES 256

void exit_from_wait(struct exit_status *exit, int status) {
  exit->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  exit->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int exit_reserve(struct failure *failure) {
  int fd = open(TEMPORARY, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fail(failure, "create " TEMPORARY);
  int result = posix_fallocate(fd, 0, SIZE_MAX_BYTES) ? fail_as(failure, ENOSPC, "reserve space for the exit status") : 0;
  close(fd);
  return result;
}

void exit_release(void) { unlink(TEMPORARY); }

int exit_write(const struct exit_status *exit, struct failure *failure) {
  char text[SIZE_MAX_BYTES];
  int size = snprintf(text, sizeof text, "code %d\nsignal %d\ncause %s\nended %" PRId64 "\ndropped-bytes %" PRIu64 "\ndropped-lines %" PRIu64 "\n",
                      exit->code, exit->signal, exit->deadline ? "deadline" : "exit", exit->ended, exit->dropped_bytes, exit->dropped_lines);
  int fd = open(TEMPORARY, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fail(failure, "open " TEMPORARY);
  int result = 0;
  if (pwrite(fd, text, (size_t)size, 0) != size || ftruncate(fd, size) < 0) result = fail(failure, "write " TEMPORARY);
  close(fd);
  if (result == 0 && rename(TEMPORARY, "exit") < 0) result = fail(failure, "name the exit file");
  return result;
}
