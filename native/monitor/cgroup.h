/* The cgroup folders of an instance: made by the daemon, joined by workers, emptied and removed here. Works on v1 and v2. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "wire/failure.h"

#define CGROUPS_MAX 16

struct cgroups {
  char *folder[CGROUPS_MAX];
  size_t count;
};

/* Copies the paths, which must be absolute. */
int cgroups_set(struct cgroups *cgroups, char *const paths[], size_t count, struct failure *failure);
/* The calling process joins each. Slow the first time on v1. */
int cgroups_join(const struct cgroups *cgroups, struct failure *failure);
/* Lets frozen processes run, or else on v1 no signal would reach them. */
void cgroups_thaw(const struct cgroups *cgroups);
/* SIGKILL to every process in them and below. Whoever forks meanwhile may escape: repeat until cgroups_are_empty. */
void cgroups_kill(const struct cgroups *cgroups);
bool cgroups_are_empty(const struct cgroups *cgroups);
/* Removes the folders and everything below. 0 when they are gone, whoever removed them. */
int cgroups_remove(const struct cgroups *cgroups, struct failure *failure);
