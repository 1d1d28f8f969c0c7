/*
 * What is mounted into a container from elsewhere on the host: volumes and folders of its environment's owner. The monitor opens them, once and
 * without following anything, and keeps a mount of exactly what it has opened at FOLDER/mounts/NUMBER. So nobody can change what the runtime mounts, and
 * the container's root, who cannot walk to the source, need not.
 */
#pragma once

#include <stdbool.h>

#include "loop.h"
#include "users.h"

struct attach_request {
  const char *number;
  const char *source;  /* absolute, with no symbolic link in it */
  const char *subpath; /* a folder or file in it that may be hostile; "": itself */
  bool read_only;
  struct id_maps maps; /* on disk to as seen; "" both: as on disk */
};

int attach_mount(const struct attach_request *request, struct failure *failure);
/* A descriptor of a mount of this folder that is seen nowhere, writable, with these ids. */
int attach_folder(const char *path, const struct id_maps *maps, struct failure *failure);
/* Unmounts all of them. */
void attach_undo(void);

struct copy_request {
  const char *volume; /* absolute, with no symbolic link in it */
  const char *target; /* in FOLDER/rootfs, which may be hostile */
  bool again;         /* although it is not empty: an earlier copy was cut off */
  const char *ids;    /* of the container: what is on disk with its ids, as ids of the host */
};

/*
 * Copies what the image has at `target` into the volume, with owners, modes and times, as the container's root would: whatever the image holds, no other
 * id's files can be touched. 1: `child` does it, and `ended` is told its status; 0: there is nothing to do; -1: a failure.
 */
int copy_begin(struct loop *loop, const struct copy_request *request, struct child *child, void (*ended)(struct child *child, int status),
               struct failure *failure);
/* What went wrong in a child that ended with this status. 0: nothing. */
int copy_end(int status, struct failure *failure);
