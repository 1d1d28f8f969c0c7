/* Writes one JSON object into memory that is given. What does not fit is never written: the object is then marked as overflown. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
  char *begin, *at, *end;
  bool comma, overflown;
};

/* A byte that is no UTF-8 becomes U+FFFD (3 bytes), a control character \u00XX (6). */
#define JSON_TEXT_MOST(bytes) (6 * (size_t)(bytes) + 2)

/* Opens the object `{`. */
struct json json_begin(char *memory, size_t size);
void json_key(struct json *json, const char *key);
void json_unsigned(struct json *json, const char *key, uint64_t value);
void json_signed(struct json *json, const char *key, int64_t value);
void json_text(struct json *json, const char *key, const char *text, size_t length);
void json_string(struct json *json, const char *key, const char *text);
/* Elements of arrays: what `key` does, without one. */
void json_element_text(struct json *json, const char *text, size_t length);
void json_element_signed(struct json *json, int64_t value);
/* Opens an array or object, with `[` or `{`, as the value of a key or, when that is NULL, as an element; closes it. */
void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);
/* Closes the object with `}` and a line feed. Its length, or 0 when it has overflown. */
size_t json_end(struct json *json);
