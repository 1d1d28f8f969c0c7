#include "tree.h"

#include "failure.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LISTING = 32768, DEPTH = PATH_ROOM / 2 };

static int top;
static bool has_openat2 = true;
// Entries of one folder mostly follow one another: its descriptor is kept.
static int cached = -1;
static char cached_path[PATH_ROOM];

static void forget(void) {
  if (cached >= 0) close(cached);
  cached = -1;
}

void tree_open(int folder) {
  top = folder;
}

void tree_clean(char clean[PATH_ROOM], const char *path, const char *what, const char *entry) {
  size_t used = 0;
  if (!*path) fail_archive(entry, "%s is empty", what);
  if (*path == '/') fail_archive(entry, "%s is absolute", what);
  for (const char *at = path; *at;) {
    size_t length = strcspn(at, "/");
    if (length == 2 && at[0] == '.' && at[1] == '.') fail_archive(entry, "%s contains \"..\"", what);
    if (length > NAME_MAX) fail_archive(entry, "%s has a component of more than %d bytes", what, NAME_MAX);
    if (length > 0 && !(length == 1 && *at == '.')) {
      if (used > 0) clean[used++] = '/';
      memcpy(clean + used, at, length); // never longer than `path`
      used += length;
    }
    at += length;
    while (*at == '/') at++;
  }
  clean[used] = 0;
}

static int open_one(int parent, const char *name) {
  // O_PATH with O_NOFOLLOW opens a symbolic link itself; O_DIRECTORY then makes that ENOTDIR. Told apart below, for the message.
  return openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int open_beneath(const char *path) {
  if (has_openat2) {
    struct open_how how = {
        .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    };
    int descriptor = (int)syscall(SYS_openat2, top, path, &how, sizeof how);
    if (descriptor >= 0 || (errno != ENOSYS && errno != EPERM)) return descriptor;
    has_openat2 = false; // an old kernel, or a container's filter that does not know it
  }
  int parent = top;
  char name[NAME_MAX + 1];
  for (const char *at = path;;) {
    size_t length = strcspn(at, "/");
    memcpy(name, at, length);
    name[length] = 0;
    int next = open_one(parent, name);
    int error = errno;
    struct stat status;
    if (next < 0 && error == ENOTDIR && fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode)) error = ELOOP;
    if (parent != top) close(parent);
    errno = error;
    if (next < 0 || !at[length]) return next;
    parent = next;
    at += length + 1;
  }
}

// Opens the folder, making what is missing of it.
static int open_making(const char *path, const char *entry) {
  char partial[PATH_ROOM];
  for (const char *at = path;; at++) {
    at += strcspn(at, "/");
    size_t length = (size_t)(at - path);
    memcpy(partial, path, length);
    partial[length] = 0;
    struct place place = tree_place(partial, false, entry);
    if (mkdirat(place.parent, place.name, 0755) && errno != EEXIST) fail_errno(entry, "make its parent");
    if (!*at) break;
  }
  forget();
  int descriptor = open_beneath(path);
  if (descriptor < 0) fail_errno(entry, "open its parent");
  return descriptor;
}

static bool try_place(const char *clean, struct place *place, bool make, const char *entry) {
  const char *slash = strrchr(clean, '/');
  if (!slash) {
    *place = (struct place){.parent = top, .name = *clean ? clean : "."};
    return true;
  }
  place->name = slash + 1;
  size_t length = (size_t)(slash - clean);
  if (cached >= 0 && strncmp(cached_path, clean, length) == 0 && cached_path[length] == 0) {
    place->parent = cached;
    return true;
  }
  forget();
  char parent[PATH_ROOM];
  memcpy(parent, clean, length);
  parent[length] = 0;
  int descriptor = open_beneath(parent);
  if (descriptor < 0 && errno == ENOENT && make) descriptor = open_making(parent, entry);
  if (descriptor < 0) return false;
  cached = place->parent = descriptor;
  memcpy(cached_path, parent, length + 1);
  return true;
}

struct place tree_place(const char *clean, bool make, const char *entry) {
  struct place place;
  if (!try_place(clean, &place, make, entry)) fail_errno(entry, "open its parent");
  return place;
}

bool tree_try_place(const char *clean, struct place *place) {
  return try_place(clean, place, false, clean);
}

bool tree_stat(struct place place, struct stat *status, const char *entry) {
  if (fstatat(place.parent, place.name, status, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno != ENOENT) fail_errno(entry, "look at what is there");
  return false;
}

struct linux_dirent64 {
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

// Empties the folder as far as it holds no folder; the name of the first one it holds, or false.
static bool empty_until_folder(int folder, char name[NAME_MAX + 1], const char *entry) {
  _Alignas(struct linux_dirent64) static char listing[LISTING];
  for (;;) {
    if (lseek(folder, 0, SEEK_SET) < 0) fail_errno(entry, "list what it replaces");
    long got = syscall(SYS_getdents64, folder, listing, sizeof listing);
    if (got < 0) fail_errno(entry, "list what it replaces");
    bool any = false;
    for (long at = 0; at < got;) {
      const struct linux_dirent64 *item = (const void *)(listing + at);
      at += item->length;
      if (strcmp(item->name, ".") == 0 || strcmp(item->name, "..") == 0) continue;
      any = true;
      if (unlinkat(folder, item->name, 0) == 0) continue;
      if (errno != EISDIR && errno != EPERM) fail_errno(entry, "remove what it replaces");
      memcpy(name, item->name, strlen(item->name) + 1);
      return true;
    }
    if (!any) return false;
  }
}

void tree_remove(struct place place, const char *entry) {
  struct level {
    int folder;
    char name[NAME_MAX + 1]; // in the folder of the level above
  };
  if (unlinkat(place.parent, place.name, 0) == 0) return;
  if (errno != EISDIR && errno != EPERM) fail_errno(entry, "remove what it replaces");
  if (place.parent != cached) forget(); // it may be inside
  // Without recursion: as deep as a path can be long.
  struct level *levels = malloc(DEPTH * sizeof *levels);
  if (!levels) fail_host("no memory");
  size_t depth = 0;
  char name[NAME_MAX + 1];
  memcpy(name, place.name, strlen(place.name) + 1);
  for (;;) {
    if (depth == DEPTH) fail_archive(entry, "what it replaces is too deep");
    int parent = depth > 0 ? levels[depth - 1].folder : place.parent;
    int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) fail_errno(entry, "remove what it replaces");
    levels[depth].folder = folder;
    memcpy(levels[depth++].name, name, sizeof name);
    while (depth > 0 && !empty_until_folder(levels[depth - 1].folder, name, entry)) {
      depth--;
      close(levels[depth].folder);
      if (unlinkat(depth > 0 ? levels[depth - 1].folder : place.parent, levels[depth].name, AT_REMOVEDIR)) fail_errno(entry, "remove what it replaces");
    }
    if (depth == 0) break;
  }
  free(levels);
}
