/*
 * The framing of native/PROTOCOL.md: u32 little-endian length, then fields that each end with a NUL byte.
 * Shared by the helper (blocking pipes) and the monitor (non-blocking sockets).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "failure.h"

#define WIRE_PAYLOAD_MAX (1024u * 1024u)
#define WIRE_HEADER_SIZE 4u

/* One request: field[0] is the tag, field[1] the operation, the rest its arguments. The fields point into payload. */
struct wire_request {
  char *payload;
  size_t size;
  char **field;
  size_t fields;
};

uint32_t wire_get_u32(const unsigned char bytes[4]);
void wire_put_u32(unsigned char bytes[4], uint32_t value);

/*
 * Splits a payload of `size` bytes, which the request owns from now on (malloc). 0, or -1 with errno: EPROTO when it is empty, does not end
 * with a NUL, has no operation, or its tag is not a number; ENOMEM. On failure the payload is freed.
 */
int wire_parse(struct wire_request *request, char *payload, size_t size);

/*
 * Reads one request from a blocking descriptor. 1: there is one; 0: end of file between two frames; -1 with errno: EMSGSIZE (longer than
 * WIRE_PAYLOAD_MAX), EPROTO (malformed, or end of file inside a frame), or what read says. After -1 the stream cannot be used on.
 */
int wire_read(int fd, struct wire_request *request);

/* Wipes and frees what wire_parse or wire_read gave. Harmless on a zeroed request. */
void wire_free(struct wire_request *request);

/*
 * Sends one frame of these fields. Blocking descriptors: until all is written. Non-blocking: -1 with EAGAIN when the peer does not read; the
 * stream may then be torn and must be closed. EMSGSIZE when the fields are too long together. SIGPIPE must be ignored.
 */
int wire_send(int fd, const char *const fields[], size_t count);

/* `TAG ok RESULT...`: the results are const char *, ended by NULL: wire_ok(fd, tag, pid, NULL). */
int wire_ok(int fd, const char *tag, ...) __attribute__((sentinel));

/* `TAG error ERRNO-NAME MESSAGE` */
int wire_error(int fd, const char *tag, const struct failure *failure);

/* Parses a decimal number without sign, blank or leading text. -1 and a failure EINVAL that names `what` when it is not within min..max. */
int wire_number(const char *text, const char *what, uint64_t min, uint64_t max, uint64_t *value, struct failure *failure);
