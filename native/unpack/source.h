// The stream: a child without any right reads fd 0, hashes it, decompresses it, hashes that, and feeds the parent through a pipe. The two run
// at once, and a hole in a decompressor finds neither a file nor a capability.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct source_options {
  uint64_t maximum_bytes; // of the uncompressed stream
  bool any_compression;   // also bzip2, xz and lz4
  int unneeded;           // a descriptor that the child must not keep open, or -1
};

struct source_result {
  uint64_t read_bytes; // of fd 0
  uint64_t bytes;      // uncompressed
  unsigned char read_digest[32], digest[32]; // SHA-256
};

// Forks. Also prints `progress BYTES` on fd 1, per 8 MiB read.
void source_start(const struct source_options *options);

// The next `size` bytes (at most 1 MiB), valid until the next call; NULL when the stream ended before their first byte. Fails when it ends in
// their middle; `entry` is what that is told about.
const unsigned char *source_take(size_t size, const char *entry);
// The next 1..`most` bytes; fails at the end.
const unsigned char *source_some(size_t most, size_t *size, const char *entry);
void source_skip(uint64_t size, const char *entry);
// Reads what is left, waits for the child and gives its result.
struct source_result source_finish(void);
