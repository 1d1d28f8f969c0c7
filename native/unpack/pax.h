// The records of a pax extended header.
#pragma once

#include "tar.h"

struct pax {
  const char *path, *link; // NULL: not given. Point into the block
  bool has_size, has_uid, has_gid, has_mtime;
  uint64_t size, uid, gid;
  int64_t mtime;
  long mtime_nanoseconds;
  // GNU sparse files, formats 0.0, 0.1 and 1.0.
  bool sparse;
  int sparse_major, sparse_minor;
  const char *sparse_name;
  bool has_real_size;
  uint64_t real_size;
  struct segment *segments; // allocated; of formats 0.0 and 0.1
  size_t segment_count;
  size_t xattr_count;
  struct xattr xattrs[MOST_XATTRS]; // last: the part before it is cleared for each entry
};

// Parses `size` bytes of `block`, which is changed and must live as long as the result. `entry` is what errors are about.
void pax_parse(struct pax *pax, char *block, size_t size, const char *entry);
// Digits only, no sign, no overflow past 2^63-1.
uint64_t parse_decimal(const char *text, const char *what, const char *entry);
// Doubles as needed; fails beyond MOST_SEGMENTS.
void add_segment(struct segment **segments, size_t *count, struct segment segment, const char *entry);
