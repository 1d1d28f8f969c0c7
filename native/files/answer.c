#include "files/answer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire/wire.h"

enum { ROOM = 64 * 1024, MOST_FIELDS = 10 };

static char waiting[ROOM];
static size_t used;

static void put(const void *bytes, size_t size) {
  for (const char *from = bytes; size;) {
    ssize_t done = write(STDOUT_FILENO, from, size);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) exit(1);
    from += done;
    size -= (size_t)done;
  }
}

void answer_flush(void) {
  put(waiting, used);
  used = 0;
}

/* Entries of a long list are many and short: they go together. */
static void add(const void *bytes, size_t size) {
  if (size > ROOM - used) answer_flush();
  if (size > ROOM) {
    put(bytes, size);
    return;
  }
  memcpy(waiting + used, bytes, size);
  used += size;
}

static void frame(const char *const fields[], size_t count) {
  uint32_t size = 0;
  unsigned char header[WIRE_HEADER_SIZE];
  for (size_t i = 0; i < count; i++) size += (uint32_t)strlen(fields[i]) + 1;
  wire_put_u32(header, size);
  add(header, sizeof header);
  for (size_t i = 0; i < count; i++) add(fields[i], strlen(fields[i]) + 1);
}

void answer(const char *word, ...) {
  const char *fields[MOST_FIELDS] = {word};
  size_t count = 1;
  va_list rest;
  va_start(rest, word);
  for (const char *field; count < MOST_FIELDS && (field = va_arg(rest, const char *));) fields[count++] = field;
  va_end(rest);
  frame(fields, count);
}

void answer_number(const char *word, unsigned long long number) {
  char text[24];
  snprintf(text, sizeof text, "%llu", number);
  answer(word, text, NULL);
}

static const char *type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG: return "file";
    case S_IFDIR: return "folder";
    case S_IFLNK: return "link";
    default: return "other";
  }
}

void answer_entry(const char *path, const struct stat *about, const char *link) {
  char mode[12], uid[12], gid[12], size[24], changed[24];
  snprintf(mode, sizeof mode, "%u", (unsigned)(about->st_mode & 07777));
  snprintf(uid, sizeof uid, "%u", (unsigned)about->st_uid);
  snprintf(gid, sizeof gid, "%u", (unsigned)about->st_gid);
  snprintf(size, sizeof size, "%lld", (long long)about->st_size);
  snprintf(changed, sizeof changed, "%lld", (long long)about->st_mtim.tv_sec * 1000 + about->st_mtim.tv_nsec / 1000000);
  answer("entry", type_of(about->st_mode), mode, uid, gid, size, changed, link, path, NULL);
}

void answer_data(const void *bytes, size_t size) {
  unsigned char header[WIRE_HEADER_SIZE];
  wire_put_u32(header, (uint32_t)size + sizeof "data");
  add(header, sizeof header);
  add("data", sizeof "data");
  add(bytes, size);
  answer_flush();
}

_Noreturn void answer_failure(const struct failure *failure) {
  const char *name = strerrorname_np(failure->error);
  answer("error", name ? name : "EIO", failure->message, NULL);
  answer_flush();
  exit(1);
}
