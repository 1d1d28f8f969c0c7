#include "keywords.h"

#include "failure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  LIST_BYTES = 1 << 20,
  FILTER_BITS = 17, // 16 KiB: it stays in the first-level cache beside the data
  WINDOW = 4,
  MOST_NODES = UINT16_MAX,
};

static struct {
  size_t count, longest; // `longest`: at least WINDOW, so that every position but the last few of a buffer can be loaded from
  uint8_t class_of[256]; // 0: in no keyword
  size_t classes;
  uint16_t *next; // [node * classes + class]; 0: no such child. Node 0 is the root
  uint16_t *ends; // by node: 1 + the keyword that ends there; 0: none
  size_t nodes;
  uint32_t filter[(1 << FILTER_BITS) / 32];
} list;

static struct {
  struct hits hits;
  uint64_t offset; // of carried[0]
  size_t length;   // bytes that could not be decided yet: fewer than the longest keyword
  unsigned char carried[2 * LONGEST_KEYWORD + WINDOW];
} file;

// Bit 5 set makes letters lower-case, and some other bytes equal to one another: good enough for a filter.
static const uint32_t fold = 0x20202020;

static inline uint32_t hash(uint32_t window) {
  return ((window | fold) * 0x9e3779b1u) >> (32 - FILTER_BITS);
}

static inline uint32_t load(const unsigned char *bytes) {
  uint32_t window;
  memcpy(&window, bytes, sizeof window);
  return window;
}

static void let_through(uint32_t window) {
  uint32_t bit = hash(window);
  list.filter[bit / 32] |= 1u << (bit % 32);
}

static void add(const char *keyword, size_t length, size_t index) {
  unsigned char window[WINDOW] = {0};
  memcpy(window, keyword, length < WINDOW ? length : WINDOW);
  if (length >= WINDOW) let_through(load(window));
  else
    for (unsigned last = 0; last < 256; last++) {
      window[WINDOW - 1] = (unsigned char)last;
      let_through(load(window));
    }
  size_t node = 0;
  for (size_t i = 0; i < length; i++) {
    uint16_t *child = &list.next[node * list.classes + list.class_of[(unsigned char)keyword[i]]];
    if (*child == 0) {
      if (list.nodes == MOST_NODES) fail_host("the keywords are too long together");
      *child = (uint16_t)list.nodes++;
    }
    node = *child;
  }
  if (list.ends[node] == 0) list.ends[node] = (uint16_t)(index + 1); // of two that are equal the first counts
  if (length > list.longest) list.longest = length;
}

// Calls `each` for every keyword; refuses what is none.
static void walk(const char *text, size_t size, void (*each)(const char *keyword, size_t length, size_t index)) {
  size_t index = 0;
  for (size_t at = 0; at < size; index++) {
    const char *end = memchr(text + at, 0, size - at);
    if (!end) fail_host("keyword %zu does not end with a NUL byte", index + 1);
    size_t length = (size_t)(end - text) - at;
    if (length < SHORTEST_KEYWORD || length > LONGEST_KEYWORD)
      fail_host("keyword %zu is not %d to %d bytes long", index + 1, SHORTEST_KEYWORD, LONGEST_KEYWORD);
    for (size_t i = 0; i < length; i++)
      if (text[at + i] >= 'A' && text[at + i] <= 'Z') fail_host("keyword %zu is not in lower case", index + 1);
    if (index == MOST_KEYWORDS) fail_host("there are more than %d keywords", MOST_KEYWORDS);
    each(text + at, length, index);
    at += length + 1;
  }
  list.count = index;
}

static void classify(const char *keyword, size_t length, size_t index) {
  (void)index;
  for (size_t i = 0; i < length; i++)
    if (list.class_of[(unsigned char)keyword[i]] == 0) list.class_of[(unsigned char)keyword[i]] = (uint8_t)++list.classes;
}

static void *room(size_t count, size_t size) {
  void *bytes = calloc(count, size);
  if (!bytes) fail_host("no memory");
  return bytes;
}

void keywords_load(const char *path) {
  char *text = room(LIST_BYTES + 1, 1);
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail_host("cannot open %s: %s", path, strerror(errno));
  size_t size = 0;
  for (ssize_t got; (got = read(descriptor, text + size, LIST_BYTES + 1 - size)) != 0;) {
    if (got < 0 && errno != EINTR) fail_host("cannot read %s: %s", path, strerror(errno));
    if (got > 0) size += (size_t)got;
    if (size > LIST_BYTES) fail_host("%s is longer than %d bytes", path, LIST_BYTES);
  }
  close(descriptor);
  walk(text, size, classify);
  list.classes++; // class 0
  for (int upper = 'A'; upper <= 'Z'; upper++) list.class_of[upper] = list.class_of[upper - 'A' + 'a'];
  size_t most = size + 1 < MOST_NODES ? size + 1 : MOST_NODES;
  list.next = room(most * list.classes, sizeof *list.next);
  list.ends = room(most, sizeof *list.ends);
  list.nodes = 1;
  list.longest = WINDOW;
  walk(text, size, add);
  free(text);
}

size_t keywords_count(void) {
  return list.count;
}

// All keywords that begin at `bytes`, of which `size` may be looked at.
static void match(const unsigned char *bytes, size_t size, uint64_t offset) {
  size_t node = 0;
  for (size_t i = 0; i < size; i++) {
    size_t class = list.class_of[bytes[i]];
    if (class == 0) return;
    node = list.next[node * list.classes + class];
    if (node == 0) return;
    if (list.ends[node] == 0) continue;
    uint32_t keyword = list.ends[node] - 1u;
    file.hits.found[keyword / 64] |= 1ull << (keyword % 64);
    if (file.hits.count == MOST_HITS) file.hits.more = true;
    else file.hits.first[file.hits.count++] = (struct hit){.keyword = keyword, .offset = offset};
  }
}

// Keywords that begin in the first `positions` bytes; WINDOW bytes can be loaded from each, and keywords end before `size`.
static void search(const unsigned char *bytes, size_t positions, size_t size, uint64_t offset) {
  for (size_t at = 0; at < positions; at++) {
    uint32_t bit = hash(load(bytes + at));
    if (__builtin_expect(list.filter[bit / 32] >> (bit % 32) & 1, 0)) match(bytes + at, size - at, offset + at);
  }
}

void keywords_begin(void) {
  memset(&file.hits, 0, sizeof file.hits);
  file.offset = 0;
  file.length = 0;
}

void keywords_feed(const unsigned char *bytes, size_t size) {
  if (list.count == 0) return;
  size_t kept = list.longest - 1; // what begins in the last of them may not be whole yet
  if (size < kept) {
    memcpy(file.carried + file.length, bytes, size);
    file.length += size;
    if (file.length <= kept) return;
    size_t decided = file.length - kept;
    search(file.carried, decided, file.length, file.offset);
    memmove(file.carried, file.carried + decided, kept);
    file.offset += decided;
    file.length = kept;
    return;
  }
  if (file.length > 0) {
    memcpy(file.carried + file.length, bytes, kept);
    search(file.carried, file.length, file.length + kept, file.offset);
    file.offset += file.length;
  }
  size_t decided = size - kept;
  search(bytes, decided, size, file.offset);
  memcpy(file.carried, bytes + decided, kept);
  file.offset += decided;
  file.length = kept;
}

static void decide_rest(void) {
  memset(file.carried + file.length, 0, WINDOW);
  search(file.carried, file.length, file.length, file.offset);
  file.offset += file.length;
  file.length = 0;
}

void keywords_skip_to(uint64_t offset) {
  if (offset == file.offset + file.length) return;
  decide_rest();
  file.offset = offset;
}

const struct hits *keywords_end(void) {
  decide_rest();
  return &file.hits;
}
