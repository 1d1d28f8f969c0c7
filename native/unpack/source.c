#include "source.h"

#include "confine.h"
#include "failure.h"

#include <archive.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BUFFER = 1 << 20, PROGRESS_STEP = 8 << 20 };

struct verdict {
  struct source_result result;
  char message[256]; // empty: all is well
};

static struct {
  pid_t child;
  int data, verdict; // read ends
  unsigned char *buffer;
  size_t start, end;
} reader;

// ── the child ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

struct feed {
  uint64_t bytes, announced;
  unsigned char *buffer;
  EVP_MD_CTX *digest;
};

static ssize_t read_whole(int descriptor, void *buffer, size_t size) {
  ssize_t got;
  do got = read(descriptor, buffer, size);
  while (got < 0 && errno == EINTR);
  return got;
}

static bool write_all(int descriptor, const void *bytes, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t put = write(descriptor, (const char *)bytes + done, size - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    done += (size_t)put;
  }
  return true;
}

static ssize_t pull(struct archive *archive, void *context, const void **bytes) {
  struct feed *feed = context;
  ssize_t got = read_whole(STDIN_FILENO, feed->buffer, BUFFER);
  if (got < 0) {
    archive_set_error(archive, errno, "cannot read it: %s", strerror(errno));
    return ARCHIVE_FATAL;
  }
  EVP_DigestUpdate(feed->digest, feed->buffer, (size_t)got);
  feed->bytes += (uint64_t)got;
  if (feed->bytes - feed->announced >= PROGRESS_STEP) {
    feed->announced = feed->bytes;
    char line[48];
    int length = snprintf(line, sizeof line, "progress %llu\n", (unsigned long long)feed->bytes);
    write_all(STDOUT_FILENO, line, (size_t)length);
  }
  *bytes = feed->buffer;
  return got;
}

static _Noreturn void conclude(int descriptor, const struct verdict *verdict) {
  write_all(descriptor, verdict, sizeof *verdict);
  _exit(0);
}

static _Noreturn void decompress(int data, int verdict_end, const struct source_options *options) {
  struct verdict verdict = {0};
  struct feed feed = {.buffer = malloc(BUFFER), .digest = EVP_MD_CTX_new()};
  unsigned char *out = malloc(BUFFER);
  EVP_MD_CTX *digest = EVP_MD_CTX_new();
  struct archive *archive = archive_read_new();
  if (!feed.buffer || !out || !feed.digest || !digest || !archive || !EVP_DigestInit_ex(feed.digest, EVP_sha256(), NULL) ||
      !EVP_DigestInit_ex(digest, EVP_sha256(), NULL))
    _exit(EXIT_HOST);
  archive_read_support_filter_gzip(archive);
  archive_read_support_filter_zstd(archive);
  if (options->any_compression) {
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_lz4(archive);
  }
  archive_read_support_format_raw(archive);
  confine_decompressor();

  struct archive_entry *only;
  int status = archive_read_open(archive, &feed, NULL, pull, NULL);
  if (status == ARCHIVE_OK) status = archive_read_next_header(archive, &only);
  bool plain = status == ARCHIVE_OK && archive_filter_count(archive) == 1; // only the one that reads: both streams are the same
  while (status == ARCHIVE_OK) {
    ssize_t got = archive_read_data(archive, out, BUFFER);
    if (got == 0) break;
    if (got < 0) {
      status = ARCHIVE_FATAL;
      break;
    }
    verdict.result.bytes += (uint64_t)got;
    if (verdict.result.bytes > options->maximum_bytes) {
      snprintf(verdict.message, sizeof verdict.message, "it is larger than the limit of %llu bytes when uncompressed",
               (unsigned long long)options->maximum_bytes);
      conclude(verdict_end, &verdict);
    }
    if (!plain) EVP_DigestUpdate(digest, out, (size_t)got);
    if (!write_all(data, out, (size_t)got)) _exit(0); // the parent gave up and has said why
  }
  if (status != ARCHIVE_OK) {
    const char *why = feed.bytes == 0 ? "it is empty" : archive_error_string(archive);
    snprintf(verdict.message, sizeof verdict.message, "its compressed stream is damaged or cut off after %llu bytes: %s",
             (unsigned long long)feed.bytes, why ? why : "unknown format");
    conclude(verdict_end, &verdict);
  }
  const void *rest;
  ssize_t got;
  while ((got = pull(archive, &feed, &rest)) > 0) {} // what stands behind the compressed stream belongs to the blob's digest
  if (got < 0) snprintf(verdict.message, sizeof verdict.message, "cannot read its end");
  verdict.result.read_bytes = feed.bytes;
  EVP_DigestFinal_ex(feed.digest, verdict.result.read_digest, NULL);
  if (plain) memcpy(verdict.result.digest, verdict.result.read_digest, sizeof verdict.result.digest);
  else EVP_DigestFinal_ex(digest, verdict.result.digest, NULL);
  conclude(verdict_end, &verdict);
}

void source_start(const struct source_options *options) {
  int data[2], verdict[2];
  if (pipe2(data, O_CLOEXEC) || pipe2(verdict, O_CLOEXEC)) fail_host("cannot make a pipe: %s", strerror(errno));
  fcntl(data[0], F_SETPIPE_SZ, BUFFER); // an unprivileged caller's pipe quota may say no: only slower
  reader.buffer = malloc(BUFFER);
  if (!reader.buffer) fail_host("no memory");
  reader.child = fork();
  if (reader.child < 0) fail_host("cannot fork: %s", strerror(errno));
  if (reader.child == 0) {
    close(data[0]);
    close(verdict[0]);
    if (options->unneeded >= 0) close(options->unneeded);
    decompress(data[1], verdict[1], options);
  }
  close(data[1]);
  close(verdict[1]);
  close(STDIN_FILENO);
  reader.data = data[0];
  reader.verdict = verdict[0];
}

// ── the parent ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

// The child's word: it knows better than the tar reader why the stream ended. It speaks once.
static struct verdict hear(void) {
  static struct verdict verdict;
  static size_t have;
  while (have < sizeof verdict) {
    ssize_t got = read_whole(reader.verdict, (char *)&verdict + have, sizeof verdict - have);
    if (got <= 0) fail_host("the decompressing process ended without a result");
    have += (size_t)got;
  }
  verdict.message[sizeof verdict.message - 1] = 0;
  return verdict;
}

static _Noreturn void cut_off(const char *entry) {
  struct verdict verdict = hear();
  if (verdict.message[0]) fail_archive(entry, "%s", verdict.message);
  fail_archive(entry, "the archive ends in its middle");
}

// False at the end of the stream.
static bool fill(void) {
  if (reader.start > 0) {
    memmove(reader.buffer, reader.buffer + reader.start, reader.end - reader.start);
    reader.end -= reader.start;
    reader.start = 0;
  }
  ssize_t got = read_whole(reader.data, reader.buffer + reader.end, BUFFER - reader.end);
  if (got < 0) fail_host("cannot read the pipe: %s", strerror(errno));
  reader.end += (size_t)got;
  return got > 0;
}

const unsigned char *source_take(size_t size, const char *entry) {
  while (reader.end - reader.start < size) {
    bool empty = reader.start == reader.end;
    if (fill()) continue;
    if (!empty) cut_off(entry);
    struct verdict verdict = hear();
    if (verdict.message[0]) fail_archive(entry, "%s", verdict.message);
    return NULL;
  }
  const unsigned char *bytes = reader.buffer + reader.start;
  reader.start += size;
  return bytes;
}

const unsigned char *source_some(size_t most, size_t *size, const char *entry) {
  if (reader.start == reader.end && !fill()) cut_off(entry);
  *size = reader.end - reader.start < most ? reader.end - reader.start : most;
  const unsigned char *bytes = reader.buffer + reader.start;
  reader.start += *size;
  return bytes;
}

void source_skip(uint64_t size, const char *entry) {
  while (size > 0) {
    size_t got;
    source_some(size < BUFFER ? (size_t)size : BUFFER, &got, entry);
    size -= got;
  }
}

struct source_result source_finish(void) {
  do reader.start = reader.end;
  while (fill());
  struct verdict verdict = hear();
  if (verdict.message[0]) fail_archive(NULL, "%s", verdict.message);
  int status;
  while (waitpid(reader.child, &status, 0) < 0 && errno == EINTR) {}
  return verdict.result;
}
