/*
 * The operations of dayfly-helper. Each gets the arguments after the operation's name, as many as the table in main.c allows, answers
 * itself (or has a thread do so later) and returns 0, or returns -1 with a failure that main sends. ANSWER_LOST: the answer could not be written.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "wire/failure.h"

#define ANSWER_FD 1
#define ANSWER_LOST (-2)

struct call {
  const char *tag;
  char *const *argument;
  size_t arguments;
};

int join_cgroup(const struct call *call, struct failure *failure);
int spawn_program(const struct call *call, struct failure *failure);
int make_pipe(const struct call *call, struct failure *failure);
int spawn_logging(const struct call *call, struct failure *failure);
int peer_uid(const struct call *call, struct failure *failure);
int send_datagram(const struct call *call, struct failure *failure);
int read_xattr(const struct call *call, struct failure *failure);
int kill_process(const struct call *call, struct failure *failure);
int add_bridge(const struct call *call, struct failure *failure);
int isolate_port(const struct call *call, struct failure *failure);
int delete_link(const struct call *call, struct failure *failure);
int run_nft(const struct call *call, struct failure *failure);
int compile_seccomp(const struct call *call, struct failure *failure);

/* `ok` with up to two results; NULL ends them. 0, or ANSWER_LOST with errno. From any thread, as the other. */
int answer(const struct call *call, const char *first, const char *second);
int answer_failure(const struct call *call, const struct failure *failure);
