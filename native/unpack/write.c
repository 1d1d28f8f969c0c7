#include "write.h"

#include "failure.h"
#include "report.h"
#include "source.h"
#include "tree.h"
#include "whiteout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { FOLDER_NAMES = 64 << 20 };

struct written written;

// A folder's times are set at the end. One block of memory: time stamp, name, time stamp, name, …
struct stamp {
  struct timespec mtime;
  uint32_t length;
};

static struct {
  char *bytes;
  size_t used, room;
} stamps;

static void remember_time(const char *clean, struct timespec mtime) {
  struct stamp stamp = {.mtime = mtime, .length = (uint32_t)strlen(clean)};
  size_t needed = sizeof stamp + stamp.length;
  if (stamps.used + needed > FOLDER_NAMES) fail_archive(clean, "the archive has more than %d bytes of folder names", FOLDER_NAMES);
  if (stamps.used + needed > stamps.room) {
    stamps.room = stamps.room ? stamps.room * 2 : 1 << 16;
    while (stamps.room < stamps.used + needed) stamps.room *= 2;
    stamps.bytes = realloc(stamps.bytes, stamps.room);
    if (!stamps.bytes) fail_host("no memory");
  }
  memcpy(stamps.bytes + stamps.used, &stamp, sizeof stamp);
  memcpy(stamps.bytes + stamps.used + sizeof stamp, clean, stamp.length);
  stamps.used += needed;
}

void write_folder_times(void) {
  for (size_t at = 0; at < stamps.used;) {
    struct stamp stamp;
    char clean[PATH_ROOM];
    memcpy(&stamp, stamps.bytes + at, sizeof stamp);
    memcpy(clean, stamps.bytes + at + sizeof stamp, stamp.length);
    clean[stamp.length] = 0;
    at += sizeof stamp + stamp.length;
    struct stat status;
    // A later entry may have replaced it, or a parent of it, with something else.
    struct place place;
    if (!tree_try_place(clean, &place) || fstatat(place.parent, place.name, &status, AT_SYMLINK_NOFOLLOW) || !S_ISDIR(status.st_mode)) continue;
    struct timespec times[2] = {stamp.mtime, stamp.mtime};
    if (utimensat(place.parent, place.name, times, AT_SYMLINK_NOFOLLOW)) fail_errno(clean, "set its times");
  }
}

static bool wanted(const char *name, mode_t type) {
  // overlayfs's own attributes come from whiteouts only: from an archive they could hide or redirect files of the layers below. The rest of
  // trusted.* is the host's affair as well.
  if (strncmp(name, "trusted.", 8) == 0 || strncmp(name, "user.overlay.", 13) == 0) return false;
  return strncmp(name, "user.", 5) != 0 || S_ISREG(type) || S_ISDIR(type); // the kernel refuses those on other types
}

static void set_xattrs(const struct entry *entry, struct place place, int descriptor, mode_t type) {
  for (size_t i = 0; i < entry->xattr_count; i++) {
    const struct xattr *xattr = &entry->xattrs[i];
    if (!wanted(xattr->name, type)) {
      written.ignored++;
      continue;
    }
    int result;
    if (descriptor >= 0) result = fsetxattr(descriptor, xattr->name, xattr->value, xattr->size, 0);
    else result = fchdir(place.parent) || lsetxattr(place.name, xattr->name, xattr->value, xattr->size, 0) ? -1 : 0;
    if (result == 0) continue;
    if (errno != ENOTSUP) fail_errno(entry->path, "set an extended attribute");
    written.ignored++;
  }
}

static struct timespec time_of(const struct entry *entry) {
  return (struct timespec){.tv_sec = entry->mtime, .tv_nsec = entry->mtime_nanoseconds};
}

static void write_bytes(int file, uint64_t size, const char *name) {
  while (size > 0) {
    size_t got;
    const unsigned char *bytes = source_some(size < SPECIAL_SIZE ? (size_t)size : SPECIAL_SIZE, &got, name);
    size -= got;
    written.bytes += got;
    report_bytes(bytes, got);
    while (got > 0) {
      ssize_t put = write(file, bytes, got);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) fail_errno(name, "write it");
      bytes += put;
      got -= (size_t)put;
    }
  }
}

static void write_file(const struct entry *entry, const char *clean, struct place place, const struct write_options *options) {
  int file = openat(place.parent, place.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) fail_errno(entry->path, "make it");
  report_begin();
  if (!entry->sparse) write_bytes(file, entry->size, entry->path);
  else {
    if (entry->real_size > options->maximum_bytes)
      fail_archive(entry->path, "it is larger than the limit of %llu bytes", (unsigned long long)options->maximum_bytes);
    if (ftruncate(file, (off_t)entry->real_size)) fail_errno(entry->path, "make it as large as it is");
    for (size_t i = 0; i < entry->segment_count; i++) {
      if (lseek(file, (off_t)entry->segments[i].offset, SEEK_SET) < 0) fail_errno(entry->path, "write it");
      report_hole(entry->segments[i].offset);
      write_bytes(file, entry->segments[i].length, entry->path);
    }
  }
  tar_end_data(entry);
  // Writing and a change of owner clear setuid bits and capabilities: those come last.
  struct timespec times[2] = {time_of(entry), time_of(entry)};
  if (fchown(file, entry->uid, entry->gid)) fail_errno(entry->path, "set its owner");
  if (fchmod(file, entry->mode)) fail_errno(entry->path, "set its mode");
  set_xattrs(entry, place, file, S_IFREG);
  if (futimens(file, times)) fail_errno(entry->path, "set its times");
  if (close(file)) fail_errno(entry->path, "write it"); // delayed errors of a full disk
  report_entry('f', clean, entry->mode, entry->uid, entry->gid, entry->sparse ? entry->real_size : entry->size);
}

static void write_folder(const struct entry *entry, const char *clean, struct place place, bool exists, bool hides) {
  if (!exists && mkdirat(place.parent, place.name, 0700)) fail_errno(entry->path, "make it");
  int folder = openat(place.parent, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) fail_errno(entry->path, "open it");
  if (fchown(folder, entry->uid, entry->gid)) fail_errno(entry->path, "set its owner");
  if (fchmod(folder, entry->mode)) fail_errno(entry->path, "set its mode");
  set_xattrs(entry, place, folder, S_IFDIR);
  if (hides) whiteout_hide(folder, clean, entry->path);
  close(folder);
  report_entry('d', clean, entry->mode, entry->uid, entry->gid, 0);
  remember_time(clean, time_of(entry));
}

static void write_link(const struct entry *entry, const char *clean) {
  char target[PATH_ROOM];
  tree_clean(target, entry->link, "its target", entry->path);
  if (!*target) fail_archive(entry->path, "its target is a folder");
  struct place to = tree_place(target, false, entry->path);
  struct stat status;
  if (!tree_stat(to, &status, entry->path)) fail_archive(entry->path, "its target is not in the layer");
  if (S_ISDIR(status.st_mode)) fail_archive(entry->path, "its target is a folder");
  if (whiteout_is(&status)) fail_archive(entry->path, "its target is removed by this layer");
  // The place of the entry would end the target's: a second descriptor of it.
  int held = openat(to.parent, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (held < 0) fail_errno(entry->path, "open its target's folder");
  struct place place = tree_place(clean, true, entry->path);
  if (linkat(held, to.name, place.parent, place.name, 0)) fail_errno(entry->path, "link it");
  close(held);
  report_entry('h', clean, status.st_mode, status.st_uid, status.st_gid, S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0);
}

// What has neither content nor a descriptor: symbolic links and fifos.
static void set_attributes(const struct entry *entry, struct place place, mode_t type) {
  struct timespec times[2] = {time_of(entry), time_of(entry)};
  if (fchownat(place.parent, place.name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW)) fail_errno(entry->path, "set its owner");
  if (!S_ISLNK(type) && fchmodat(place.parent, place.name, entry->mode, 0)) fail_errno(entry->path, "set its mode");
  set_xattrs(entry, place, -1, type);
  if (utimensat(place.parent, place.name, times, AT_SYMLINK_NOFOLLOW)) fail_errno(entry->path, "set its times");
}

// True when `target` is what stands at `clean` or is inside it: replacing would remove it first.
static bool inside(const char *clean, const char *target) {
  size_t length = strlen(clean);
  return strncmp(target, clean, length) == 0 && (target[length] == 0 || target[length] == '/');
}

void write_entry(const struct entry *entry, const struct write_options *options) {
  written.entries++;
  char clean[PATH_ROOM];
  tree_clean(clean, entry->path, "its name", entry->path);
  if (options->layer && whiteout_write(entry, clean)) {
    source_skip(entry->size, entry->path);
    tar_end_data(entry);
    return;
  }
  switch (entry->type) {
  case '3':
  case '4': // a layer brings no device: the container gets its few from the runtime
    written.ignored++;
    return;
  case '0':
  case '1':
  case '2':
  case '5':
  case '6':
    break;
  default:
    fail_archive(entry->path, "its type '%c' is unknown", entry->type > 0x20 && entry->type < 0x7f ? entry->type : '?');
  }
  if (!*clean && entry->type != '5') fail_archive(entry->path, "the layer's own folder is not a folder in it");
  if (entry->type == '1') {
    char target[PATH_ROOM];
    tree_clean(target, entry->link, "its target", entry->path);
    if (strcmp(target, clean) == 0) fail_archive(entry->path, "it is a link to itself");
    if (inside(clean, target)) fail_archive(entry->path, "its target is inside what it replaces");
  }

  struct place place = tree_place(clean, true, entry->path);
  struct stat status;
  bool exists = tree_stat(place, &status, entry->path);
  bool was_removed = exists && options->layer && whiteout_is(&status);
  // As runtimes do: what comes later replaces what came before, and only folders are merged.
  if (exists && !(S_ISDIR(status.st_mode) && entry->type == '5')) {
    tree_remove(place, entry->path);
    exists = false;
    place = tree_place(clean, true, entry->path);
  }
  switch (entry->type) {
  case '0':
    write_file(entry, clean, place, options);
    break;
  case '1':
    write_link(entry, clean);
    break;
  case '2':
    if (!*entry->link) fail_archive(entry->path, "its target is empty");
    if (symlinkat(entry->link, place.parent, place.name)) fail_errno(entry->path, "make it");
    set_attributes(entry, place, S_IFLNK);
    report_entry('l', clean, entry->mode, entry->uid, entry->gid, 0);
    break;
  case '5':
    write_folder(entry, clean, place, exists, was_removed);
    break;
  case '6':
    if (mknodat(place.parent, place.name, S_IFIFO | 0600, 0)) fail_errno(entry->path, "make it");
    set_attributes(entry, place, S_IFIFO);
    report_entry('p', clean, entry->mode, entry->uid, entry->gid, 0);
    break;
  }
}
