#include "report.h"

#include "failure.h"
#include "keywords.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
  BUFFER = 256 << 10,
  // Of one frame: a path, every hit and every keyword.
  MOST_FRAME = PATH_ROOM + MOST_HITS * 26 + MOST_KEYWORDS * 5 + 256,
  PATIENCE_S = 30,
  MAGIC = 4,
};
_Static_assert(MOST_FRAME < BUFFER, "a frame fits into the buffer");

static struct {
  bool on;
  char buffer[BUFFER];
  size_t used;
  unsigned char magic[MAGIC];
  size_t magic_size;
} report;

void report_open(const char *keywords) {
  keywords_load(keywords);
  int flags = fcntl(REPORT_DESCRIPTOR, F_GETFL);
  if (flags < 0 || fcntl(REPORT_DESCRIPTOR, F_SETFL, flags | O_NONBLOCK)) fail_host("there is no reader on fd %d: %s", REPORT_DESCRIPTOR, strerror(errno));
  report.on = true;
}

static void give_up(void) {
  report.on = false;
  close(REPORT_DESCRIPTOR);
}

static void flush(void) {
  for (size_t done = 0; report.on && done < report.used;) {
    ssize_t put = write(REPORT_DESCRIPTOR, report.buffer + done, report.used - done);
    if (put >= 0) {
      done += (size_t)put;
      continue;
    }
    if (errno == EINTR) continue;
    struct pollfd reader = {.fd = REPORT_DESCRIPTOR, .events = POLLOUT};
    struct timespec patience = {.tv_sec = PATIENCE_S};
    if (errno != EAGAIN) give_up();
    else if (ppoll(&reader, 1, &patience, NULL) == 0) give_up();
  }
  report.used = 0;
}

// ── frames: u32 length, then fields that end with a NUL byte ─────────────────────────────────────────────────────────────────────────────

static size_t begin_frame(void) {
  if (report.used + MOST_FRAME > BUFFER) flush();
  size_t start = report.used;
  report.used += sizeof(uint32_t);
  return start;
}

static void put_text(const char *text, size_t length) {
  memcpy(report.buffer + report.used, text, length);
  report.used += length;
}

static void put_number(uint64_t number) {
  char digits[20];
  size_t at = sizeof digits;
  do digits[--at] = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  put_text(digits + at, sizeof digits - at);
}

static void end_field(void) {
  report.buffer[report.used++] = 0;
}

static void end_frame(size_t start) {
  uint32_t length = (uint32_t)(report.used - start - sizeof length);
  memcpy(report.buffer + start, &length, sizeof length);
}

static void put_head(char type, const char *clean) {
  put_text(&type, 1);
  end_field();
  put_text(clean, strlen(clean));
  end_field();
}

static void put_attribute(uint64_t number) {
  put_number(number);
  end_field();
}

// ── what is told ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

void report_begin(void) {
  if (!report.on) return;
  report.magic_size = 0;
  keywords_begin();
}

void report_bytes(const unsigned char *bytes, size_t size) {
  if (!report.on) return;
  for (size_t i = 0; report.magic_size < MAGIC && i < size; i++) report.magic[report.magic_size++] = bytes[i];
  keywords_feed(bytes, size);
}

void report_hole(uint64_t offset) {
  if (!report.on) return;
  // A file that begins with a hole begins with NUL bytes.
  while (report.magic_size < MAGIC && report.magic_size < offset) report.magic[report.magic_size++] = 0;
  keywords_skip_to(offset);
}

static const char *magic_name(void) {
  if (report.magic_size == MAGIC && memcmp(report.magic, "\177ELF", MAGIC) == 0) return "elf";
  if (report.magic_size == MAGIC && (memcmp(report.magic, "PK\3\4", MAGIC) == 0 || memcmp(report.magic, "PK\5\6", MAGIC) == 0)) return "zip";
  if (report.magic_size >= 2 && memcmp(report.magic, "#!", 2) == 0) return "script";
  return "";
}

static void put_hits(const struct hits *hits) {
  bool any = false;
  for (size_t word = 0; word < MOST_KEYWORDS / 64; word++) {
    for (uint64_t bits = hits->found[word]; bits; bits &= bits - 1) {
      if (any) put_text(",", 1);
      any = true;
      put_number(word * 64 + (size_t)__builtin_ctzll(bits));
    }
  }
  end_field();
  for (size_t i = 0; i < hits->count; i++) {
    if (i > 0) put_text(",", 1);
    put_number(hits->first[i].keyword);
    put_text("@", 1);
    put_number(hits->first[i].offset);
  }
  end_field();
  if (hits->more) put_text("more", 4);
  end_field();
}

void report_entry(char type, const char *clean, mode_t mode, uid_t uid, gid_t gid, uint64_t size) {
  if (!report.on) return;
  size_t frame = begin_frame();
  put_head(type, clean);
  put_attribute(mode & 07777);
  put_attribute(uid);
  put_attribute(gid);
  put_attribute(size);
  if (type == 'f') {
    const char *magic = magic_name();
    put_text(magic, strlen(magic));
    end_field();
    put_hits(keywords_end());
  }
  end_frame(frame);
}

void report_mark(char type, const char *clean) {
  if (!report.on) return;
  size_t frame = begin_frame();
  put_head(type, clean);
  end_frame(frame);
}

void report_end(uint64_t bytes, uint64_t entries) {
  if (!report.on) return;
  size_t frame = begin_frame();
  put_head('e', "");
  put_attribute(bytes);
  put_attribute(entries);
  end_frame(frame);
  flush();
  if (report.on) give_up(); // closed: the reader need not wait for the disk
}
