/* How the first process ended, and FOLDER/exit, which tells whoever comes later. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/failure.h"

struct exit_status {
  int code, signal; /* 0–255; 0 for none */
  bool deadline;
  int64_t ended; /* wall ms */
  uint64_t dropped_bytes, dropped_lines;
  bool counted; /* its traffic, bytes: the veth goes with its end */
  uint64_t received, sent;
};

/* From what waitpid says. */
void exit_from_wait(struct exit_status *exit, int status);
/*
 * Takes the file's disk space before the start, so that a full disk cannot lose an exit status later. From now on, until there is FOLDER/exit, the
 * file that is reserved says that the container may have run.
 */
int exit_reserve(struct failure *failure);
/* It was not started after all. */
void exit_release(void);
int exit_write(const struct exit_status *exit, struct failure *failure);
