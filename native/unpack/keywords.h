// Which keywords of a list occur in the bytes of a file, wherever the reads end. Letters count in either case.
// Fixed memory, whatever the file: a filter over every four bytes (one multiplication and one look into 16 KiB), and for what passes it a walk
// through a trie, at most as long as the longest keyword.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOST_KEYWORDS = 4096, SHORTEST_KEYWORD = 3, LONGEST_KEYWORD = 64, MOST_HITS = 256 };

struct hit {
  uint32_t keyword; // place in the list, from 0
  uint64_t offset;  // of its first byte in the file
};

struct hits {
  struct hit first[MOST_HITS]; // by offset
  size_t count;                // of those
  bool more;                   // than there is room for
  uint64_t found[MOST_KEYWORDS / 64]; // a bit for every keyword that occurs
};

// Reads the list: keywords, each ended by a NUL byte, without upper-case letters of ASCII. Before the sandbox is entered.
void keywords_load(const char *path);
size_t keywords_count(void);

void keywords_begin(void);
// The next bytes of the file.
void keywords_feed(const unsigned char *bytes, size_t size);
// A hole follows: nothing reaches across it. `offset` is where the next bytes stand.
void keywords_skip_to(uint64_t offset);
// Valid until the next begin.
const struct hits *keywords_end(void);
