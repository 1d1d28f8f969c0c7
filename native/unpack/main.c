// dayfly-unpack FOLDER [--digest sha256:HEX] [--blob-digest sha256:HEX] [--root-file-system] [--max-bytes N] [--max-entries N] [--scan KEYWORDS]
//
// A tar stream on fd 0 becomes files in FOLDER. See PROTOCOL.md.
#include "confine.h"
#include "failure.h"
#include "report.h"
#include "source.h"
#include "tar.h"
#include "tree.h"
#include "write.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t default_bytes = 64ull << 30;
static const uint64_t default_entries = 2000000;

struct options {
  const char *folder, *digest, *blob_digest, *keywords;
  bool root_file_system;
  uint64_t maximum_bytes, maximum_entries;
};

static uint64_t parse_limit(const char *text) {
  char *end;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (errno || *end || *text < '0' || *text > '9' || value == 0 || value > INT64_MAX) fail_host("\"%.40s\" is no limit", text);
  return value;
}

static const char *check_digest(const char *text) {
  if (strncmp(text, "sha256:", 7) != 0 || strlen(text) != 71 || strspn(text + 7, "0123456789abcdef") != 64)
    fail_host("\"%.80s\" is no digest: sha256: and 64 lower-case hex digits", text);
  return text;
}

static struct options parse(int count, char **arguments) {
  struct options options = {.maximum_bytes = default_bytes, .maximum_entries = default_entries};
  static const struct option flags[] = {
      {"digest", required_argument, NULL, 'd'},    {"blob-digest", required_argument, NULL, 'b'}, {"root-file-system", no_argument, NULL, 'r'},
      {"max-bytes", required_argument, NULL, 's'}, {"max-entries", required_argument, NULL, 'e'},
      {"scan", required_argument, NULL, 'k'},      {0},
  };
  for (int flag; (flag = getopt_long(count, arguments, "", flags, NULL)) != -1;) {
    if (flag == 'd') options.digest = check_digest(optarg);
    else if (flag == 'b') options.blob_digest = check_digest(optarg);
    else if (flag == 'r') options.root_file_system = true;
    else if (flag == 'k') options.keywords = optarg;
    else if (flag == 's') options.maximum_bytes = parse_limit(optarg);
    else if (flag == 'e') options.maximum_entries = parse_limit(optarg);
    else exit(EXIT_HOST);
  }
  if (optind != count - 1)
    fail_host("usage: dayfly-unpack FOLDER [--digest sha256:HEX] [--blob-digest sha256:HEX] [--root-file-system] [--max-bytes N] [--max-entries N] "
              "[--scan KEYWORDS]");
  options.folder = arguments[optind];
  return options;
}

static int open_empty(const char *path) {
  int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) fail_host("cannot open %s: %s", path, strerror(errno));
  DIR *listing = fdopendir(dup(folder));
  if (!listing) fail_host("cannot list %s: %s", path, strerror(errno));
  for (struct dirent *item; (item = readdir(listing)) != NULL;)
    if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0) fail_host("%s is not empty", path);
  closedir(listing);
  return folder;
}

static void format_digest(char text[72], const unsigned char digest[32]) {
  memcpy(text, "sha256:", 7);
  for (size_t i = 0; i < 32; i++) snprintf(text + 7 + i * 2, 3, "%02x", digest[i]);
}

static void compare(const char *what, const char *expected, const char *actual) {
  if (expected && strcmp(expected, actual) != 0) fail_archive(NULL, "%s is %s instead of %s", what, actual, expected);
}

int main(int count, char **arguments) {
  struct options options = parse(count, arguments);
  confine_process();
  if (options.keywords) report_open(options.keywords);
  source_start(&(struct source_options){
      .maximum_bytes = options.maximum_bytes,
      .any_compression = options.root_file_system,
      .unneeded = options.keywords ? REPORT_DESCRIPTOR : -1,
  });
  int folder = open_empty(options.folder); // after the fork: the decompressing child never has it
  if (fchown(folder, 0, 0) || fchmod(folder, 0755)) fail_host("cannot prepare %s: %s", options.folder, strerror(errno));
  confine_writer(folder);
  tree_open(folder);

  struct write_options how = {.layer = !options.root_file_system, .maximum_bytes = options.maximum_bytes};
  // With a digest, what is cut off cannot pass for whole; without one only the archive's end mark tells.
  bool whole = !options.digest && !options.blob_digest;
  for (struct entry *entry; (entry = tar_next(whole)) != NULL;) {
    if (written.entries == options.maximum_entries)
      fail_archive(entry->path, "the archive has more than %llu entries", (unsigned long long)options.maximum_entries);
    write_entry(entry, &how);
  }
  struct source_result result = source_finish();
  char digest[72], blob_digest[72];
  format_digest(digest, result.digest);
  format_digest(blob_digest, result.read_digest);
  compare("the digest of its compressed content", options.blob_digest, blob_digest);
  compare("the digest of its uncompressed content", options.digest, digest);
  write_folder_times();
  report_end(written.bytes, written.entries); // its reader can go on while the disk writes
  // Once: after this the caller may rename the folder, and a crash finds all of it or nothing.
  if (syncfs(folder)) fail_host("cannot write to the disk: %s", strerror(errno));
  char line[256]; // not by stdio: on a terminal it makes calls that are not allowed any more
  int length = snprintf(line, sizeof line, "done %llu %llu %s %s %llu %llu\n", (unsigned long long)written.bytes, (unsigned long long)written.entries,
                        digest, blob_digest, (unsigned long long)written.ignored, (unsigned long long)result.bytes);
  if (write(STDOUT_FILENO, line, (size_t)length) != length) fail_host("cannot write to the standard output: %s", strerror(errno));
  return 0;
}
