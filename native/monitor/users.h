/* User namespaces that exist only to say which ids stand for which. */
#pragma once

#include <sys/types.h>

#include "wire/failure.h"

/* Maps in the text of /proc/PID/uid_map: lines `INSIDE OUTSIDE COUNT`, separated by newlines or commas. */
struct id_maps {
  const char *users, *groups;
};

/* Gives the process, a fork in a new user namespace, these maps. */
int users_map(pid_t pid, const struct id_maps *maps, struct failure *failure);
/* A descriptor of a user namespace with these maps, as mount_setattr wants it. */
int users_open(const struct id_maps *maps, struct failure *failure);
