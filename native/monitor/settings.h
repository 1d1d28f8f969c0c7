/* What is set for a container before its runtime is asked: what only real root of the host may. */
#pragma once

#include <sys/types.h>

#include "wire/failure.h"

/* `name`: a path below /proc/sys/net, of the monitor's own network namespace, e.g. `core/somaxconn`. ENOENT when there is none. */
int settings_sysctl(const char *name, const char *value, struct failure *failure);
/*
 * Makes room for a limit that the container is to get: raises the hard limit, of this process and of `worker`, where it is lower. `name` like
 * `nofile`; RLIM_INFINITY as "unlimited". EPERM when the host does not let it.
 */
int settings_rlimit(pid_t worker, const char *name, const char *hard, struct failure *failure);
