#include "tar.h"

#include "failure.h"
#include "pax.h"
#include "source.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 512 };

// Offsets of the 512-byte header.
enum { NAME = 0, MODE = 100, UID = 108, GID = 116, SIZE = 124, MTIME = 136, CHECKSUM = 148, TYPE = 156, LINK = 157, MAGIC = 257, PREFIX = 345 };
enum { GNU_SPARSE = 386, GNU_EXTENDED = 482, GNU_REAL_SIZE = 483, GNU_NEXT_EXTENDED = 504 };

static struct entry current;
static char last_path[PATH_ROOM]; // what an error before the next name is about
static char *special;             // the pax block that `current.xattrs` point into
static struct pax pax;

// An octal field, or GNU's base-256. Negative numbers are refused, but for times.
static int64_t number(const unsigned char *field, size_t size, const char *what, const char *entry) {
  if (field[0] & 0x80) {
    bool negative = field[0] & 0x40;
    uint64_t value = negative ? ~(uint64_t)0x3f : 0;
    value |= field[0] & 0x3f;
    for (size_t i = 1; i < size; i++) {
      if (value >> 55 != (negative ? 0x1ff : 0)) fail_archive(entry, "its %s is out of range", what);
      value = value << 8 | field[i];
    }
    if (negative && strcmp(what, "mtime") != 0) fail_archive(entry, "its %s is negative", what);
    return (int64_t)value;
  }
  size_t at = 0, end = size;
  while (at < end && (field[at] == ' ' || field[at] == 0)) at++;
  while (end > at && (field[end - 1] == ' ' || field[end - 1] == 0)) end--;
  int64_t value = 0;
  for (; at < end; at++) {
    if (field[at] < '0' || field[at] > '7') fail_archive(entry, "its %s is no octal number", what);
    value = value * 8 + (field[at] - '0'); // at most 12 digits: no overflow
  }
  return value;
}

static void check_sum(const unsigned char *header) {
  int64_t sum = 0, historic = 0;
  for (size_t i = 0; i < BLOCK; i++) {
    unsigned char byte = i >= CHECKSUM && i < CHECKSUM + 8 ? ' ' : header[i];
    sum += byte;
    historic += (signed char)byte;
  }
  int64_t told = 0;
  for (size_t i = CHECKSUM; i < CHECKSUM + 8; i++)
    if (header[i] >= '0' && header[i] <= '7') told = told * 8 + (header[i] - '0');
  if (told == sum || told == historic) return;
  if (!last_path[0]) fail_archive(NULL, "it is no tar archive");
  fail_archive(last_path, "the header behind it is damaged (checksum)");
}

static void copy_name(char *to, const char *name, size_t most) {
  size_t length = strnlen(name, most);
  if (length >= PATH_ROOM) {
    char shown[256];
    memcpy(shown, name, sizeof shown - 1);
    shown[sizeof shown - 1] = 0;
    fail_archive(shown, "its name or target is longer than %d bytes", PATH_ROOM - 1);
  }
  memcpy(to, name, length);
  to[length] = 0;
}

static const unsigned char *header_or_end(bool whole) {
  const char *entry = last_path;
  static const unsigned char zeros[BLOCK];
  const unsigned char *header = source_take(BLOCK, entry);
  if (!header && (whole || !*entry)) fail_archive(entry, "the archive ends without its end mark: it is cut off");
  if (!header) return NULL;
  if (memcmp(header, zeros, BLOCK) != 0) return header;
  const unsigned char *second = source_take(BLOCK, entry);
  if (second && memcmp(second, zeros, BLOCK) != 0) fail_archive(entry, "behind it comes an empty header, then more: damaged");
  return NULL;
}

static uint64_t padding(uint64_t size) {
  return (BLOCK - size % BLOCK) % BLOCK;
}

// The content of a header that describes the next one. Ends with a NUL that is not counted.
static char *read_special(const unsigned char *header, size_t *size) {
  int64_t told = number(header + SIZE, 12, "size", last_path);
  if (told > SPECIAL_SIZE) fail_archive(last_path, "a name or an extended header behind it is larger than %d bytes", SPECIAL_SIZE);
  *size = (size_t)told;
  char *bytes = malloc(*size + 1);
  if (!bytes) fail_host("no memory");
  for (size_t have = 0; have < *size;) {
    size_t got;
    const unsigned char *piece = source_some(*size - have, &got, last_path);
    memcpy(bytes + have, piece, got);
    have += got;
  }
  bytes[*size] = 0;
  source_skip(padding(*size), last_path);
  return bytes;
}

static void old_sparse_pairs(const unsigned char *field, size_t count) {
  for (size_t i = 0; i < count && field[i * 24]; i++) {
    struct segment segment = {.offset = (uint64_t)number(field + i * 24, 12, "sparse map", current.path),
                              .length = (uint64_t)number(field + i * 24 + 12, 12, "sparse map", current.path)};
    add_segment(&current.segments, &current.segment_count, segment, current.path);
  }
}

// GNU's old format: up to 4 pieces in the header, then blocks of 21.
static void read_old_sparse(const unsigned char *header) {
  current.sparse = true;
  current.real_size = (uint64_t)number(header + GNU_REAL_SIZE, 12, "sparse size", current.path);
  old_sparse_pairs(header + GNU_SPARSE, 4);
  bool more = header[GNU_EXTENDED];
  while (more) {
    const unsigned char *block = source_take(BLOCK, current.path);
    if (!block) fail_archive(current.path, "its sparse map is cut off");
    old_sparse_pairs(block, 21);
    more = block[GNU_NEXT_EXTENDED];
  }
}

// Format 1.0: the map is decimal lines at the start of the data, padded to a block.
static uint64_t sparse_line(uint64_t *consumed) {
  char digits[24];
  size_t length = 0;
  for (;;) {
    if (*consumed >= current.size) fail_archive(current.path, "its sparse map is cut off");
    const unsigned char *byte = source_take(1, current.path);
    if (!byte) fail_archive(current.path, "its sparse map is cut off");
    ++*consumed;
    if (*byte == '\n') break;
    if (length == sizeof digits - 1) fail_archive(current.path, "its sparse map is damaged");
    digits[length++] = (char)*byte;
  }
  digits[length] = 0;
  return parse_decimal(digits, "sparse map", current.path);
}

static void read_sparse_lines(void) {
  uint64_t consumed = 0;
  uint64_t count = sparse_line(&consumed);
  if (count > MOST_SEGMENTS) fail_archive(current.path, "it has more than %d pieces", MOST_SEGMENTS);
  for (uint64_t i = 0; i < count; i++) {
    struct segment segment = {.offset = sparse_line(&consumed)};
    segment.length = sparse_line(&consumed);
    add_segment(&current.segments, &current.segment_count, segment, current.path);
  }
  uint64_t rest = padding(consumed);
  if (consumed + rest > current.size) fail_archive(current.path, "its sparse map is cut off");
  source_skip(rest, current.path);
  current.size -= consumed + rest;
}

static void check_segments(void) {
  uint64_t sum = 0, end = 0;
  for (size_t i = 0; i < current.segment_count; i++) {
    const struct segment *segment = &current.segments[i];
    // Both are below 2^63 (parse_decimal, number), so no sum here can wrap.
    if (segment->offset < end || segment->offset + segment->length > current.real_size) fail_archive(current.path, "its sparse map is damaged");
    end = segment->offset + segment->length;
    sum += segment->length;
  }
  if (sum != current.size) fail_archive(current.path, "its sparse map does not match its size");
}

static uint32_t id(int64_t value, const char *what) {
  if (value > UINT32_MAX - 1) fail_archive(current.path, "its %s is out of range", what);
  return (uint32_t)value;
}

// v7 and ustar fields, then what the pax and GNU headers before it override.
static void fill_entry(const unsigned char *header, const char *long_name, const char *long_link) {
  current.sparse = false;
  current.real_size = 0;
  current.segment_count = 0;
  bool ustar = memcmp(header + MAGIC, "ustar\0", 6) == 0;
  char name[PATH_ROOM];
  copy_name(name, (const char *)header + NAME, 100);
  if (ustar && header[PREFIX]) {
    char prefix[160] = {0};
    memcpy(prefix, header + PREFIX, 155);
    size_t length = strlen(prefix);
    memmove(name + length + 1, name, strlen(name) + 1);
    memcpy(name, prefix, length);
    name[length] = '/';
  }
  const char *chosen = pax.sparse_name ? pax.sparse_name : pax.path ? pax.path : long_name ? long_name : name;
  copy_name(current.path, chosen, SIZE_MAX);
  copy_name(last_path, current.path, SIZE_MAX);

  current.type = header[TYPE] == 0 || header[TYPE] == '7' ? '0' : (char)header[TYPE];
  // v7 had no type for folders.
  size_t length = strlen(current.path);
  if (header[TYPE] == 0 && length > 0 && current.path[length - 1] == '/') current.type = '5';

  if (pax.link) copy_name(current.link, pax.link, SIZE_MAX);
  else if (long_link) copy_name(current.link, long_link, SIZE_MAX);
  else copy_name(current.link, (const char *)header + LINK, 100);

  current.mode = (uint32_t)number(header + MODE, 8, "mode", current.path) & 07777;
  current.uid = id(pax.has_uid ? (int64_t)pax.uid : number(header + UID, 8, "uid", current.path), "uid");
  current.gid = id(pax.has_gid ? (int64_t)pax.gid : number(header + GID, 8, "gid", current.path), "gid");
  current.mtime = pax.has_mtime ? pax.mtime : number(header + MTIME, 12, "mtime", current.path);
  current.mtime_nanoseconds = pax.mtime_nanoseconds;
  current.size = pax.has_size ? pax.size : (uint64_t)number(header + SIZE, 12, "size", current.path);
  memcpy(current.xattrs, pax.xattrs, pax.xattr_count * sizeof *pax.xattrs);
  current.xattr_count = pax.xattr_count;

  // As Go: the types below have no data, whatever their size says.
  if (current.type >= '1' && current.type <= '6') current.size = 0;

  if (current.type == 'S') {
    read_old_sparse(header);
    current.type = '0';
  } else if (current.type == '0' && pax.sparse) {
    current.sparse = true;
    if (!pax.has_real_size) fail_archive(current.path, "its sparse size is missing");
    current.real_size = pax.real_size;
    if (pax.sparse_major == 1 && pax.sparse_minor == 0) read_sparse_lines();
    else if (pax.sparse_major > 0) fail_archive(current.path, "its sparse format %d.%d is unknown", pax.sparse_major, pax.sparse_minor);
    else {
      current.segments = pax.segments;
      current.segment_count = pax.segment_count;
      pax.segments = NULL;
    }
  }
  if (current.sparse) check_segments();
}

struct entry *tar_next(bool whole) {
  free(current.segments);
  current.segments = NULL;
  free(special);
  special = NULL;
  memset(&pax, 0, offsetof(struct pax, xattrs));
  char *long_name = NULL, *long_link = NULL;
  bool described = false;
  for (;;) {
    const unsigned char *header = header_or_end(whole);
    if (!header) {
      if (described) fail_archive(last_path, "the archive ends between a header and what it describes");
      return NULL;
    }
    check_sum(header);
    size_t size;
    char **slot;
    switch (header[TYPE]) {
    case 'g': // as containerd, docker and podman: global headers say nothing about a layer
      free(read_special(header, &size));
      continue;
    case 'x':
      slot = &special;
      break;
    case 'L':
      slot = &long_name;
      break;
    case 'K':
      slot = &long_link;
      break;
    default:
      fill_entry(header, long_name, long_link);
      free(pax.segments);
      pax.segments = NULL;
      free(long_name);
      free(long_link);
      return &current;
    }
    if (*slot) fail_archive(last_path, "two headers of one kind behind it");
    *slot = read_special(header, &size);
    described = true;
    if (slot == &special) pax_parse(&pax, special, size, last_path);
  }
}

void tar_end_data(const struct entry *entry) {
  source_skip(padding(entry->size), entry->path);
}
