#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int console_listen(const char *name, struct failure *failure) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", name);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fail(failure, "make a console socket");
  unlink(name);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0) {
    fail(failure, "listen on %s", name);
    close(fd);
    return -1;
  }
  return fd;
}

void console_close(int listener, const char *name) {
  if (listener < 0) return;
  close(listener);
  unlink(name);
}

/* The descriptor that is sent over the connection, which the runtime has made, used and left by now: nothing to wait for. */
static int receive_descriptor(int connection) {
  char text[256], control[CMSG_SPACE(sizeof(int))];
  struct iovec part = {.iov_base = text, .iov_len = sizeof text};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  int fd = -1;
  if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) < 0) return -1;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (!header || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(int))) return errno = EPROTO, -1;
  memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}

int console_take(int listener, const char *name, struct failure *failure) {
  int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  int master = connection < 0 ? -1 : receive_descriptor(connection);
  if (master < 0 || fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK) < 0) {
    fail(failure, "receive the terminal from the runtime");
    if (master >= 0) close(master);
    master = -1;
  }
  if (connection >= 0) close(connection);
  console_close(listener, name);
  return master;
}
