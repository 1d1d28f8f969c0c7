/* Datagrams to unix sockets, e.g. /dev/log: Node has none of these. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "operations.h"

int send_datagram(const struct call *call, struct failure *failure) {
  const char *path = call->argument[0], *message = call->argument[1];
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof to.sun_path) return fail_as(failure, ENAMETOOLONG, "sending to %.200s: a socket's path has at most 107 bytes", path);
  strcpy(to.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fail(failure, "making a socket");
  /* Never waited for: a receiver whose queue is full is asked again by whoever wants it. */
  int result = sendto(fd, message, strlen(message), MSG_NOSIGNAL, (const struct sockaddr *)&to, sizeof to) < 0 ? fail(failure, "sending to %.200s", path) : 0;
  close(fd);
  return result < 0 ? -1 : answer(call, NULL, NULL);
}
