#include "patterns.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PATTERNS = 1000, MOST_PATTERN = 120, MOST_KEYS = 2 * MOST_PATTERNS };

struct pattern {
  char text[MOST_PATTERN + 1];
  uint32_t interest;
  bool has_star; /* not only at its end */
};

struct key {
  struct path_key path;
  uint32_t value;
};

static struct {
  int map;
  __u64 *name_filter;
  __u32 *every_name, *has_patterns;
  struct pattern patterns[MOST_PATTERNS];
  size_t count;
  struct key keys[MOST_KEYS]; /* as they are in the map */
  size_t key_count;
} state;

void patterns_open(int paths_map, __u64 *name_filter, __u32 *every_name, __u32 *has_patterns) {
  state.map = paths_map;
  state.name_filter = name_filter;
  state.every_name = every_name;
  state.has_patterns = has_patterns;
}

static bool fits(const char *pattern, const char *path, const char *end) {
  for (; *pattern; pattern++, path++) {
    if (*pattern == '*') {
      if (!pattern[1]) return true;
      for (const char *rest = path;; rest++) {
        if (fits(pattern + 1, rest, end)) return true;
        if (rest == end || *rest == '/') return false;
      }
    }
    if (path == end || *path != *pattern) return false;
  }
  return path == end || *path == '/' || pattern[-1] == '/';
}

uint32_t patterns_of(const char *path, size_t length, bool all) {
  uint32_t interest = 0;
  for (size_t index = 0; index < state.count; index++) {
    const struct pattern *pattern = &state.patterns[index];
    if ((all || pattern->has_star) && fits(pattern->text, path, path + length)) interest |= pattern->interest;
  }
  return interest;
}

static void filter_name(const char *name, size_t length) {
  __u64 first_bytes = 0;
  memcpy(&first_bytes, name, length < sizeof first_bytes ? length : sizeof first_bytes);
  uint32_t bit = name_filter_bit(first_bytes, (uint32_t)length);
  __atomic_fetch_or(&state.name_filter[bit / 64 % FILTER_WORDS], 1ULL << (bit % 64), __ATOMIC_RELAXED);
}

/* Every path that fits has the last component without a star, whole, in it. */
static void filter_pattern(const struct pattern *pattern) {
  const char *end = pattern->text + strlen(pattern->text);
  while (end > pattern->text) {
    const char *begin = end;
    while (begin > pattern->text && begin[-1] != '/') begin--;
    if (begin < end && !memchr(begin, '*', (size_t)(end - begin))) {
      filter_name(begin, (size_t)(end - begin));
      return;
    }
    end = begin > pattern->text ? begin - 1 : begin;
  }
  *state.every_name = 1;
}

static void add_key(struct key *keys, size_t *count, const char *text, size_t length, uint32_t value) {
  struct key *key = &keys[(*count)++];
  *key = (struct key){.path.bits = (uint32_t)(length * 8), .value = value};
  memcpy(key->path.path, text, length);
}

static void add_keys(struct key *keys, size_t *count, const struct pattern *pattern) {
  char text[MOST_PATTERN + 2] = {0};
  size_t length = strcspn(pattern->text, "*");
  memcpy(text, pattern->text, length);
  if (pattern->has_star) {
    add_key(keys, count, text, length, pattern->interest == SENSITIVE ? MAYBE_SENSITIVE : MAYBE_WRITE_WATCHED);
  } else if (pattern->text[length] == '*' || text[length - 1] == '/') {
    add_key(keys, count, text, length, pattern->interest);
  } else {
    add_key(keys, count, text, length + 1, pattern->interest); /* with the NUL that ends a path: that one only */
    text[length] = '/';
    add_key(keys, count, text, length + 1, pattern->interest);
  }
}

/* By their bytes, what a key is a beginning of after it. */
static int compare(const void *left, const void *right) {
  const struct key *one = left, *other = right;
  int difference = memcmp(one->path.path, other->path.path, sizeof one->path.path);
  return difference ? difference : (int)one->path.bits - (int)other->path.bits;
}

/* Sorts, and makes one of those that are the same. How many are left. */
static size_t merge(struct key *keys, size_t count) {
  size_t merged = 0;
  qsort(keys, count, sizeof *keys, compare);
  for (size_t index = 0; index < count; index++) {
    if (merged > 0 && compare(&keys[merged - 1], &keys[index]) == 0)
      keys[merged - 1].value |= keys[index].value;
    else
      keys[merged++] = keys[index];
  }
  return merged;
}

static bool begins_with(const struct path_key *path, const struct path_key *beginning) {
  return path->bits >= beginning->bits && memcmp(path->path, beginning->path, beginning->bits / 8) == 0;
}

/* The kernel finds the longest key only: it must say what shorter ones do, too. Of sorted keys, those that begin the present one are on the stack. */
static void inherit(struct key *keys, size_t count) {
  static size_t stack[MOST_PATTERN + 2];
  size_t depth = 0;
  for (size_t index = 0; index < count; index++) {
    while (depth > 0 && !begins_with(&keys[index].path, &keys[stack[depth - 1]].path)) depth--;
    if (depth > 0) keys[index].value |= keys[stack[depth - 1]].value;
    stack[depth++] = index;
  }
}

/* Brings the kernel's map up to date: first what is new, then what is gone, so that nothing is unwatched in between. */
static int apply(void) {
  struct key *keys = calloc(MOST_KEYS, sizeof *keys);
  size_t count = 0;
  if (!keys) return ENOMEM;
  for (size_t index = 0; index < state.count; index++) {
    filter_pattern(&state.patterns[index]); /* bits are only ever added: one too many costs a little time, one too few an event */
    add_keys(keys, &count, &state.patterns[index]);
  }
  count = merge(keys, count);
  inherit(keys, count);
  int failed = 0;
  /* Both are sorted: what is in one of them only, or has changed, is seen side by side. */
  for (size_t index = 0, before = 0; index < count && !failed; index++) {
    while (before < state.key_count && compare(&state.keys[before], &keys[index]) < 0) before++;
    bool was_there = before < state.key_count && compare(&state.keys[before], &keys[index]) == 0;
    if (was_there && state.keys[before].value == keys[index].value) continue;
    if (bpf_map_update_elem(state.map, &keys[index].path, &keys[index].value, BPF_ANY)) failed = errno;
  }
  for (size_t index = 0, now = 0; index < state.key_count; index++) {
    while (now < count && compare(&keys[now], &state.keys[index]) < 0) now++;
    if (now == count || compare(&keys[now], &state.keys[index]) != 0) bpf_map_delete_elem(state.map, &state.keys[index].path);
  }
  memcpy(state.keys, keys, count * sizeof *keys);
  state.key_count = count;
  *state.has_patterns = state.count > 0;
  free(keys);
  return failed;
}

static struct pattern *find(uint32_t interest, const char *text) {
  for (size_t index = 0; index < state.count; index++)
    if (state.patterns[index].interest == interest && strcmp(state.patterns[index].text, text) == 0) return &state.patterns[index];
  return NULL;
}

int pattern_add(uint32_t interest, const char *text) {
  size_t length = strlen(text);
  if (text[0] != '/') return EINVAL;
  if (length > MOST_PATTERN) return ENAMETOOLONG;
  if (find(interest, text)) return 0;
  if (state.count == MOST_PATTERNS) return ENOSPC;
  struct pattern *pattern = &state.patterns[state.count++];
  *pattern = (struct pattern){.interest = interest};
  memcpy(pattern->text, text, length + 1);
  const char *star = strchr(text, '*');
  pattern->has_star = star && star[1];
  return apply();
}

int pattern_remove(uint32_t interest, const char *text) {
  struct pattern *pattern = find(interest, text);
  if (!pattern) return ENOENT;
  *pattern = state.patterns[--state.count];
  return apply();
}
