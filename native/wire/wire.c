#include "wire.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define FIELDS_SENT_MAX 64

uint32_t wire_get_u32(const unsigned char bytes[4]) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

void wire_put_u32(unsigned char bytes[4], uint32_t value) {
  for (int i = 0; i < 4; i++) bytes[i] = (unsigned char)(value >> (8 * i));
}

static int is_number(const char *text) { return *text && text[strspn(text, "0123456789")] == 0; }

int wire_parse(struct wire_request *request, char *payload, size_t size) {
  *request = (struct wire_request){.payload = payload, .size = size};
  for (size_t i = 0; i < size; i++) request->fields += payload[i] == 0;
  int error = EPROTO;
  if (size > 0 && payload[size - 1] == 0 && request->fields >= 2) {
    error = ENOMEM;
    request->field = malloc(request->fields * sizeof *request->field);
  }
  if (request->field) {
    char *next = payload;
    for (size_t i = 0; i < request->fields; i++, next += strlen(next) + 1) request->field[i] = next;
    if (is_number(request->field[0])) return 0;
    error = EPROTO;
  }
  wire_free(request);
  errno = error;
  return -1;
}

/* Bytes read: fewer than size only at end of file. */
static ssize_t read_all(int fd, void *buffer, size_t size) {
  size_t done = 0;
  while (done < size) {
    ssize_t got = read(fd, (char *)buffer + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += (size_t)got;
  }
  return (ssize_t)done;
}

int wire_read(int fd, struct wire_request *request) {
  unsigned char header[WIRE_HEADER_SIZE];
  *request = (struct wire_request){0};
  ssize_t got = read_all(fd, header, sizeof header);
  if (got <= 0) return (int)got;
  if (got < (ssize_t)sizeof header) return errno = EPROTO, -1;
  uint32_t size = wire_get_u32(header);
  if (size > WIRE_PAYLOAD_MAX) return errno = EMSGSIZE, -1;
  char *payload = malloc(size ? size : 1);
  if (!payload) return -1;
  got = read_all(fd, payload, size);
  if (got != (ssize_t)size) {
    if (got >= 0) errno = EPROTO;
    free(payload);
    return -1;
  }
  return wire_parse(request, payload, size) < 0 ? -1 : 1;
}

void wire_free(struct wire_request *request) {
  if (request->payload) explicit_bzero(request->payload, request->size); /* it may have carried a secret */
  free(request->payload);
  free(request->field);
  *request = (struct wire_request){0};
}

int wire_send(int fd, const char *const fields[], size_t count) {
  unsigned char header[WIRE_HEADER_SIZE];
  struct iovec parts[FIELDS_SENT_MAX + 1];
  size_t size = 0;
  if (count > FIELDS_SENT_MAX) return errno = E2BIG, -1;
  for (size_t i = 0; i < count; i++) {
    parts[i + 1] = (struct iovec){.iov_base = (void *)(uintptr_t)fields[i], .iov_len = strlen(fields[i]) + 1};
    size += parts[i + 1].iov_len;
  }
  if (size > WIRE_PAYLOAD_MAX) return errno = EMSGSIZE, -1;
  wire_put_u32(header, (uint32_t)size);
  parts[0] = (struct iovec){.iov_base = header, .iov_len = sizeof header};

  size_t next = 0;
  while (next <= count) {
    ssize_t sent = writev(fd, parts + next, (int)(count + 1 - next));
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return -1;
    while (next <= count && (size_t)sent >= parts[next].iov_len) sent -= (ssize_t)parts[next++].iov_len;
    if (next > count) break;
    parts[next].iov_base = (char *)parts[next].iov_base + sent;
    parts[next].iov_len -= (size_t)sent;
  }
  return 0;
}

int wire_ok(int fd, const char *tag, ...) {
  const char *fields[FIELDS_SENT_MAX] = {tag, "ok"};
  size_t count = 2;
  va_list results;
  va_start(results, tag);
  for (const char *result; (result = va_arg(results, const char *)) && count < FIELDS_SENT_MAX;) fields[count++] = result;
  va_end(results);
  return wire_send(fd, fields, count);
}

int wire_error(int fd, const char *tag, const struct failure *failure) {
  const char *name = strerrorname_np(failure->error);
  return wire_send(fd, (const char *[]){tag, "error", name ? name : "EIO", failure->message}, 4);
}

int wire_number(const char *text, const char *what, uint64_t min, uint64_t max, uint64_t *value,
                struct failure *failure) {
  errno = 0;
  if (is_number(text)) *value = strtoull(text, NULL, 10);
  if (!is_number(text) || errno == ERANGE || *value < min || *value > max) {
    return fail_as(failure, EINVAL, "%s: \"%.40s\" is not a number from %llu to %llu", what, text, (unsigned long long)min, (unsigned long long)max);
  }
  return 0;
}
