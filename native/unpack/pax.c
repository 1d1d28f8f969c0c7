#include "pax.h"

#include "failure.h"

#include <stdlib.h>
#include <string.h>

uint64_t parse_decimal(const char *text, const char *what, const char *entry) {
  uint64_t value = 0;
  if (!*text) fail_archive(entry, "its %s is no number", what);
  for (; *text; text++) {
    if (*text < '0' || *text > '9') fail_archive(entry, "its %s is no number, or negative", what);
    uint64_t digit = (uint64_t)(*text - '0');
    if (value > ((uint64_t)INT64_MAX - digit) / 10) fail_archive(entry, "its %s is out of range", what);
    value = value * 10 + digit;
  }
  return value;
}

void add_segment(struct segment **segments, size_t *count, struct segment segment, const char *entry) {
  if (*count == MOST_SEGMENTS) fail_archive(entry, "it has more than %d pieces", MOST_SEGMENTS);
  if ((*count & (*count - 1)) == 0) { // full at every power of two
    struct segment *more = realloc(*segments, (*count ? *count * 2 : 1) * sizeof **segments);
    if (!more) fail_host("no memory");
    *segments = more;
  }
  (*segments)[(*count)++] = segment;
}

// `seconds[.fraction]`, perhaps negative. Digits beyond nanoseconds are cut.
static void parse_time(struct pax *pax, const char *text, const char *entry) {
  bool negative = *text == '-';
  char whole[24] = {0};
  const char *point = strchr(text, '.');
  const char *start = text + negative;
  size_t length = point ? (size_t)(point - start) : strlen(start);
  if (length >= sizeof whole) fail_archive(entry, "its mtime is out of range");
  memcpy(whole, start, length);
  int64_t seconds = (int64_t)parse_decimal(whole, "mtime", entry);
  long nanoseconds = 0;
  if (point) {
    long place = 100000000;
    for (const char *digit = point + 1; *digit; digit++, place /= 10) {
      if (*digit < '0' || *digit > '9') fail_archive(entry, "its mtime is no number");
      nanoseconds += (*digit - '0') * place;
    }
  }
  if (negative) {
    seconds = -seconds - (nanoseconds > 0);
    nanoseconds = nanoseconds > 0 ? 1000000000 - nanoseconds : 0;
  }
  pax->has_mtime = true;
  pax->mtime = seconds;
  pax->mtime_nanoseconds = nanoseconds;
}

// Format 0.1: `offset,length,offset,length,…`
static void parse_map(struct pax *pax, char *text, const char *entry) {
  char *rest = text, *piece;
  while ((piece = strsep(&rest, ",")) != NULL) {
    char *length = strsep(&rest, ",");
    if (!length) fail_archive(entry, "its sparse map is damaged");
    struct segment segment = {.offset = parse_decimal(piece, "sparse map", entry), .length = parse_decimal(length, "sparse map", entry)};
    add_segment(&pax->segments, &pax->segment_count, segment, entry);
  }
}

static void record(struct pax *pax, char *key, char *value, size_t size, const char *entry) {
  static const char xattr[] = "SCHILY.xattr.";
  static const char sparse[] = "GNU.sparse.";
  if (strncmp(key, xattr, sizeof xattr - 1) == 0) {
    const char *name = key + sizeof xattr - 1;
    size_t at = 0;
    while (at < pax->xattr_count && strcmp(pax->xattrs[at].name, name) != 0) at++;
    if (at == MOST_XATTRS) fail_archive(entry, "it has more than %d extended attributes", MOST_XATTRS);
    if (at == pax->xattr_count) pax->xattr_count++;
    pax->xattrs[at] = (struct xattr){.name = name, .value = (unsigned char *)value, .size = size};
    return;
  }
  if (strlen(value) != size) {
    if (strncmp(key, sparse, sizeof sparse - 1) == 0 || strcmp(key, "path") == 0 || strcmp(key, "linkpath") == 0)
      fail_archive(entry, "a NUL byte in its %s", key);
    return;
  }
  if (strncmp(key, sparse, sizeof sparse - 1) == 0) {
    const char *name = key + sizeof sparse - 1;
    pax->sparse = true;
    if (strcmp(name, "major") == 0) pax->sparse_major = (int)(parse_decimal(value, "sparse version", entry) & 0xff);
    else if (strcmp(name, "minor") == 0) pax->sparse_minor = (int)(parse_decimal(value, "sparse version", entry) & 0xff);
    else if (strcmp(name, "name") == 0) pax->sparse_name = value;
    else if (strcmp(name, "map") == 0) parse_map(pax, value, entry);
    else if (strcmp(name, "offset") == 0)
      add_segment(&pax->segments, &pax->segment_count, (struct segment){.offset = parse_decimal(value, "sparse map", entry)}, entry);
    else if (strcmp(name, "numbytes") == 0) {
      if (pax->segment_count == 0) fail_archive(entry, "its sparse map is damaged");
      pax->segments[pax->segment_count - 1].length = parse_decimal(value, "sparse map", entry);
    } else if (strcmp(name, "size") == 0 || strcmp(name, "realsize") == 0) {
      pax->has_real_size = true;
      pax->real_size = parse_decimal(value, "sparse size", entry);
    }
    return;
  }
  if (size == 0) return; // an empty value takes a record back
  if (strcmp(key, "path") == 0) pax->path = value;
  else if (strcmp(key, "linkpath") == 0) pax->link = value;
  else if (strcmp(key, "mtime") == 0) parse_time(pax, value, entry);
  else if (strcmp(key, "size") == 0) pax->has_size = true, pax->size = parse_decimal(value, "size", entry);
  else if (strcmp(key, "uid") == 0) pax->has_uid = true, pax->uid = parse_decimal(value, "uid", entry);
  else if (strcmp(key, "gid") == 0) pax->has_gid = true, pax->gid = parse_decimal(value, "gid", entry);
}

// Records of `LENGTH KEY=VALUE\n`, LENGTH counting itself.
void pax_parse(struct pax *pax, char *block, size_t size, const char *entry) {
  for (size_t at = 0; at < size;) {
    size_t length = 0, digits = 0;
    while (at + digits < size && block[at + digits] >= '0' && block[at + digits] <= '9' && digits < 8)
      length = length * 10 + (size_t)(block[at + digits++] - '0');
    if (digits == 0 || at + digits >= size || block[at + digits] != ' ' || length <= digits + 2 || length > size - at ||
        block[at + length - 1] != '\n')
      fail_archive(entry, "its pax header is damaged");
    char *key = block + at + digits + 1;
    char *end = block + at + length - 1;
    char *equals = memchr(key, '=', (size_t)(end - key));
    if (!equals || equals == key || memchr(key, 0, (size_t)(equals - key))) fail_archive(entry, "its pax header is damaged");
    *equals = 0;
    *end = 0;
    record(pax, key, equals + 1, (size_t)(end - equals - 1), entry);
    at += length;
  }
}
