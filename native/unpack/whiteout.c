#include "whiteout.h"

#include "failure.h"
#include "report.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { OPAQUE_BYTES = 4 << 20 };

static const char mark[] = ".wh.";
static const char meta[] = ".wh..wh.";

bool whiteout_is(const struct stat *status) {
  return S_ISCHR(status->st_mode) && status->st_rdev == makedev(0, 0);
}

// The reader of our output keeps these: together they are bounded.
static void tell(const char *clean, const char *entry) {
  static size_t told;
  char line[PATH_ROOM * 3 + 16];
  size_t used = (size_t)snprintf(line, sizeof line, "opaque ");
  for (const unsigned char *byte = (const unsigned char *)clean; *byte; byte++) {
    bool plain = *byte > 0x20 && *byte < 0x7f && *byte != '%';
    used += (size_t)snprintf(line + used, sizeof line - used, plain ? "%c" : "%%%02X", *byte);
  }
  line[used++] = '\n';
  told += used;
  if (told > OPAQUE_BYTES) fail_archive(entry, "too many opaque folders");
  for (size_t done = 0; done < used;) {
    ssize_t put = write(STDOUT_FILENO, line + done, used - done);
    if (put < 0 && errno != EINTR) fail_host("cannot write to the standard output: %s", strerror(errno));
    if (put > 0) done += (size_t)put;
  }
}

void whiteout_hide(int folder, const char *clean, const char *entry) {
  if (fsetxattr(folder, "trusted.overlay.opaque", "y", 1, 0)) {
    if (errno == ENOTSUP) fail_host("the file system of the image store has no trusted.* attributes, which overlayfs needs");
    fail_errno(entry, "make it opaque");
  }
  tell(clean, entry);
  report_mark('o', clean);
}

static void hide_folder(const char *clean, const char *entry) {
  struct place place = tree_place(clean, true, entry);
  struct stat status;
  if (*clean && !tree_stat(place, &status, entry) && mkdirat(place.parent, place.name, 0755)) fail_errno(entry, "make its folder");
  int folder = openat(place.parent, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) fail_errno(entry, "open its folder");
  whiteout_hide(folder, clean, entry);
  close(folder);
}

bool whiteout_write(const struct entry *entry, const char *clean) {
  const char *slash = strrchr(clean, '/');
  const char *base = slash ? slash + 1 : clean;
  size_t parent = slash ? (size_t)(slash - clean) : 0;
  if (strncmp(clean, meta, sizeof meta - 1) == 0 && strcmp(clean, ".wh..wh..opq") != 0) return true; // aufs's own files and folders
  for (const char *at = clean; at < base; at += strcspn(at, "/") + 1)
    if (strncmp(at, mark, sizeof mark - 1) == 0) fail_archive(entry->path, "a folder's name begins with \".wh.\", which is reserved");
  if (strncmp(base, mark, sizeof mark - 1) != 0) return false;

  char path[PATH_ROOM];
  memcpy(path, clean, parent);
  path[parent] = 0;
  if (strcmp(base, ".wh..wh..opq") == 0) {
    hide_folder(path, entry->path);
    return true;
  }
  const char *name = base + sizeof mark - 1;
  if (strncmp(base, meta, sizeof meta - 1) == 0) fail_archive(entry->path, "an unknown mark of aufs");
  if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) fail_archive(entry->path, "it removes no name that a file can have");
  if (parent > 0) path[parent] = '/';
  memcpy(path + parent + (parent > 0), name, strlen(name) + 1);
  struct place place = tree_place(path, true, entry->path);
  struct stat status;
  if (tree_stat(place, &status, entry->path)) {
    // A whiteout concerns the layers below, never what its own layer brings: a file hides them by itself, a folder when it is opaque.
    if (S_ISDIR(status.st_mode)) hide_folder(path, entry->path);
    return true;
  }
  if (mknodat(place.parent, place.name, S_IFCHR, makedev(0, 0))) fail_errno(entry->path, "make the mark of a removed file");
  report_mark('w', path);
  return true;
}
