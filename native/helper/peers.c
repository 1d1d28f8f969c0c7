/*
 * Who is at the other end of a unix socket of the daemon's. Node has no call for that, so the daemon names one of its descriptors, and we take a copy of it for
 * a moment. What the kernel has kept there (SO_PEERCRED) is whoever connected: it stays when that process has gone, given the socket away or
 * become another user.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "operations.h"
#include "wire/wire.h"

/* `inode` tells the socket from another one that has got its number meanwhile. 0, or -1 with a failure. */
static int ask(int socket_fd, uint64_t inode, struct ucred *peer, struct failure *failure) {
  struct stat status;
  if (fstat(socket_fd, &status) < 0) return fail(failure, "looking at the socket %llu", (unsigned long long)inode);
  if (!S_ISSOCK(status.st_mode) || status.st_ino != inode) {
    return fail_as(failure, ESTALE, "the socket %llu is closed: its descriptor is another one by now", (unsigned long long)inode);
  }
  socklen_t size = sizeof *peer;
  if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERCRED, peer, &size) < 0) return fail(failure, "asking for the peer of the socket %llu", (unsigned long long)inode);
  /* Of a socket that is none of the kind, or was never connected, the kernel says that it is nobody. */
  if (peer->pid == 0 && peer->uid == (uid_t)-1) return fail_as(failure, ENOTCONN, "the socket %llu has no peer", (unsigned long long)inode);
  return 0;
}

int peer_uid(const struct call *call, struct failure *failure) {
  uint64_t fd, inode;
  if (wire_number(call->argument[0], "descriptor", 0, INT_MAX, &fd, failure) < 0) return -1;
  if (wire_number(call->argument[1], "inode", 1, UINT64_MAX, &inode, failure) < 0) return -1;
  int daemon = pidfd_open(getppid(), 0);
  if (daemon < 0) return fail(failure, "opening the process that started this one");
  int copy = pidfd_getfd(daemon, (int)fd, 0);
  int result;
  struct ucred peer;
  if (copy < 0) {
    result = fail(failure, "taking a copy of the descriptor %d", (int)fd);
  } else {
    result = ask(copy, inode, &peer, failure);
    close(copy);
  }
  close(daemon);
  if (result < 0) return -1;
  char uid[16];
  snprintf(uid, sizeof uid, "%u", (unsigned)peer.uid);
  return answer(call, uid, NULL);
}
