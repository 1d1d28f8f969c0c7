#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mounts.h"

static int sextet(char c) {
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const char *at = c ? strchr(alphabet, c) : NULL;
  return at ? (int)(at - alphabet) : -1;
}

/* Standard base64 with padding. `out` has room for 3 bytes per 4 characters. The decoded length, or -1. */
static ssize_t decode(const char *text, unsigned char *out) {
  size_t length = strlen(text), size = 0;
  if (length % 4) return -1;
  for (size_t i = 0; i < length; i += 4) {
    int pad = i + 4 == length ? (text[i + 3] == '=') + (text[i + 3] == '=' && text[i + 2] == '=') : 0;
    uint32_t bits = 0;
    for (int j = 0; j < 4; j++) {
      int value = j >= 4 - pad ? 0 : sextet(text[i + (size_t)j]);
      if (value < 0) return -1;
      bits = bits << 6 | (uint32_t)value;
    }
    for (int j = 0; j < 3 - pad; j++) out[size++] = (unsigned char)(bits >> (16 - 8 * j));
  }
  return (ssize_t)size;
}

static int write_file(int folder, const char *name, uint32_t uid, uint32_t gid, const unsigned char *content, size_t size, struct failure *failure) {
  int fd = openat(folder, ".new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
  if (fd < 0) return fail(failure, "create secret %s", name);
  int result = 0;
  for (size_t done = 0; done < size && result == 0;) {
    ssize_t wrote = write(fd, content + done, size - done);
    if (wrote < 0) result = fail(failure, "write secret %s", name);
    else done += (size_t)wrote;
  }
  if (result == 0 && fchown(fd, uid, gid) < 0) result = fail(failure, "give secret %s to %u:%u", name, uid, gid);
  close(fd);
  if (result == 0 && renameat(folder, ".new", folder, name) < 0) result = fail(failure, "name secret %s", name);
  if (result < 0) unlinkat(folder, ".new", 0);
  return result;
}

int mounts_secret(const char *name, uint32_t uid, uint32_t gid, const char *base64, struct failure *failure) {
  if (!*name || *name == '.' || strchr(name, '/') || strlen(name) > 255) {
    return fail_as(failure, EINVAL, "name: \"%.100s\" is not a file name of at most 255 characters that does not begin with '.'", name);
  }
  size_t room = strlen(base64) / 4 * 3 + 3;
  unsigned char *content = malloc(room);
  if (!content) return fail(failure, "decode secret %s", name);
  int result = -1;
  ssize_t size = decode(base64, content);
  int folder = open("secrets", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (size < 0) fail_as(failure, EINVAL, "content of secret %s: not base64", name);
  else if (folder < 0) fail(failure, "open folder secrets");
  else result = write_file(folder, name, uid, gid, content, (size_t)size, failure);
  if (folder >= 0) close(folder);
  explicit_bzero(content, room);
  free(content);
  return result;
}
