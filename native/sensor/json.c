#include "json.h"

#include <string.h>

static const char hexadecimal[] = "0123456789abcdef";
static const char replacement[] = "\xEF\xBF\xBD";

static bool room(struct json *json, size_t bytes) {
  if ((size_t)(json->end - json->at) >= bytes) return true;
  json->overflown = true;
  return false;
}

static void put(struct json *json, const char *bytes, size_t length) {
  if (!room(json, length)) return;
  memcpy(json->at, bytes, length);
  json->at += length;
}

static void put_character(struct json *json, char character) {
  if (room(json, 1)) *json->at++ = character;
}

static void put_unsigned(struct json *json, uint64_t value) {
  char digits[20];
  size_t length = 0;
  do digits[sizeof digits - ++length] = (char)('0' + value % 10);
  while (value /= 10);
  put(json, digits + sizeof digits - length, length);
}

static void put_signed(struct json *json, int64_t value) {
  if (value < 0) put_character(json, '-');
  put_unsigned(json, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

/* How many bytes at `text` are one well-formed UTF-8 character of more than one byte; 0: they are none. */
static size_t character_length(const unsigned char *text, size_t left) {
  unsigned char first = text[0];
  size_t length = first >= 0xC2 && first <= 0xDF ? 2 : first >= 0xE0 && first <= 0xEF ? 3 : first >= 0xF0 && first <= 0xF4 ? 4 : 0;
  if (length == 0 || left < length) return 0;
  for (size_t index = 1; index < length; index++)
    if ((text[index] & 0xC0) != 0x80) return 0;
  unsigned char second = text[1];
  /* Overlong forms, surrogates, beyond U+10FFFF. */
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
  return length;
}

static void put_text(struct json *json, const char *text, size_t length) {
  if (!room(json, JSON_TEXT_MOST(length))) return;
  char *at = json->at;
  *at++ = '"';
  for (size_t index = 0; index < length;) {
    unsigned char byte = (unsigned char)text[index];
    if (byte >= 0x80) {
      size_t bytes = character_length((const unsigned char *)text + index, length - index);
      memcpy(at, bytes ? text + index : replacement, bytes ? bytes : 3);
      at += bytes ? bytes : 3;
      index += bytes ? bytes : 1;
      continue;
    }
    if (byte < 0x20 || byte == 0x7F) {
      memcpy(at, "\\u00", 4);
      at[4] = hexadecimal[byte >> 4];
      at[5] = hexadecimal[byte & 15];
      at += 6;
    } else {
      if (byte == '"' || byte == '\\') *at++ = '\\';
      *at++ = (char)byte;
    }
    index++;
  }
  *at++ = '"';
  json->at = at;
}

static void separate(struct json *json) {
  if (json->comma) put_character(json, ',');
  json->comma = true;
}

struct json json_begin(char *memory, size_t size) {
  struct json json = {.begin = memory, .at = memory, .end = memory + size};
  put_character(&json, '{');
  return json;
}

void json_key(struct json *json, const char *key) {
  separate(json);
  put_character(json, '"');
  put(json, key, strlen(key));
  put(json, "\":", 2);
}

void json_unsigned(struct json *json, const char *key, uint64_t value) {
  json_key(json, key);
  put_unsigned(json, value);
}

void json_signed(struct json *json, const char *key, int64_t value) {
  json_key(json, key);
  put_signed(json, value);
}

void json_text(struct json *json, const char *key, const char *text, size_t length) {
  json_key(json, key);
  put_text(json, text, length);
}

void json_string(struct json *json, const char *key, const char *text) { json_text(json, key, text, strlen(text)); }

void json_element_text(struct json *json, const char *text, size_t length) {
  separate(json);
  put_text(json, text, length);
}

void json_element_signed(struct json *json, int64_t value) {
  separate(json);
  put_signed(json, value);
}

void json_open(struct json *json, const char *key, char bracket) {
  if (key)
    json_key(json, key);
  else
    separate(json);
  put_character(json, bracket);
  json->comma = false;
}

void json_close(struct json *json, char bracket) {
  put_character(json, bracket);
  json->comma = true;
}

size_t json_end(struct json *json) {
  put(json, "}\n", 2);
  return json->overflown ? 0 : (size_t)(json->at - json->begin);
}
