// Reads a tar stream from the source: ustar, pax, GNU (long names, sparse files), v7. Not libarchive's reader: that one changes names (to
// Unicode's composed form, by the locale), and two files of a layer could become one. What is accepted follows Go's archive/tar, which is what
// made nearly every layer there is; what Go tolerates silently and could mean two things is refused.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PATH_ROOM = 4096, MOST_XATTRS = 1024, MOST_SEGMENTS = 1 << 20, SPECIAL_SIZE = 1 << 20 };

struct xattr {
  const char *name;
  const unsigned char *value;
  size_t size;
};

// A piece of a sparse file that has data; the data of all segments follow one another in the archive.
struct segment {
  uint64_t offset, length;
};

struct entry {
  char path[PATH_ROOM]; // as written, for messages
  char link[PATH_ROOM];
  char type;     // '0' file, '1' hard link, '2' symbolic link, '3' '4' devices, '5' folder, '6' fifo
  uint64_t size; // of a file's data in the archive; 0 for all other types
  uint32_t mode; // permission bits only
  uint32_t uid, gid;
  int64_t mtime;
  long mtime_nanoseconds;
  bool sparse;
  uint64_t real_size; // of a sparse file
  struct segment *segments;
  size_t segment_count;
  struct xattr xattrs[MOST_XATTRS];
  size_t xattr_count;
};

// The next entry, valid until the next call; its data, `size` bytes, must be read from the source before that. NULL at the end of the archive.
// `whole`: an archive without its end mark is refused as cut off.
struct entry *tar_next(bool whole);
// The padding behind the data.
void tar_end_data(const struct entry *entry);
