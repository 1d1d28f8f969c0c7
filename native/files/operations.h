/* What dayfly-files does. Each answers on standard output, but for its failure: then it returns -1. Paths are absolute. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "wire/failure.h"

/* Of what is made: -1, what there was before, or the usual. */
struct making {
  int mode;
  int64_t uid;
  int64_t gid;
  bool parents; /* also the folders above it */
};

int files_stat(const char *path, struct failure *failure);
int files_list(const char *path, unsigned depth, unsigned most, struct failure *failure);
int files_read(const char *path, uint64_t offset, uint64_t most, struct failure *failure);
/* Reads frames of bytes from standard input; an empty one is the end, and only then the file is there, all of it. */
int files_write(const char *path, const struct making *making, struct failure *failure);
int files_make_folder(const char *path, const struct making *making, struct failure *failure);
int files_remove(const char *path, bool recursive, struct failure *failure);
int files_rename(const char *from, const char *to, struct failure *failure);
/* Goes on until it is ended, or what is watched is gone. */
int files_watch(const char *path, bool recursive, struct failure *failure);

/* The folder that the path is in, and its name there; `parents`: made where it is missing. -1 for a path without a name, like "/". */
int open_parent(const char *path, bool parents, const char **name, struct failure *failure);
/* The owner and mode that were asked for. */
int set_as_asked(int fd, const char *path, const struct making *making, struct failure *failure);
