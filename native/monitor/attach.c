#include "attach.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NUMBERS_MAX 256

static int open_how(int folder, const char *path, uint64_t flags, uint64_t resolve) {
  struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve | RESOLVE_NO_MAGICLINKS};
  return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}

static int open_source(const struct attach_request *request, struct stat *found, struct failure *failure) {
  if (request->source[0] != '/') return fail_as(failure, EINVAL, "source: \"%.200s\" is not an absolute path", request->source);
  int fd = open_how(AT_FDCWD, request->source, O_PATH, RESOLVE_NO_SYMLINKS);
  if (fd < 0) return fail(failure, "open %.200s without following symbolic links", request->source);
  if (*request->subpath) {
    int below = open_how(fd, request->subpath, O_PATH, RESOLVE_BENEATH | RESOLVE_NO_XDEV);
    int error = errno;
    close(fd);
    errno = error;
    if (below < 0) return fail(failure, "open %.200s without leaving the volume", request->subpath);
    fd = below;
  }
  if (fstat(fd, found) < 0) fail(failure, "look at %.200s", request->source);
  else if (!S_ISDIR(found->st_mode) && !S_ISREG(found->st_mode)) fail_as(failure, EINVAL, "source: %.200s is neither a folder nor a file", request->source);
  else return fd;
  close(fd);
  return -1;
}

static int make_point(const char *point, mode_t mode, struct failure *failure) {
  if (mkdir("mounts", 0711) < 0 && errno != EEXIST) return fail(failure, "make folder mounts");
  if (S_ISDIR(mode)) return mkdir(point, 0700) < 0 ? fail(failure, "make folder %s", point) : 0;
  int fd = open(point, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fail(failure, "make file %s", point);
  close(fd);
  return 0;
}

/* A descriptor of a mount of its own of what is open, with these flags, that is mounted nowhere yet. */
static int clone_mount(int source, const char *name, uint64_t flags, const struct id_maps *maps, struct failure *failure) {
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | flags};
  bool mapped = *maps->users;
  int users = mapped ? users_open(maps, failure) : -1;
  if (mapped && users < 0) return -1;
  if (mapped) {
    attributes.attr_set |= MOUNT_ATTR_IDMAP;
    attributes.userns_fd = (unsigned)users;
  }
  /* Not what is mounted below it: an id map would have to fit all of that. */
  int tree = open_tree(source, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  int result = 0;
  if (tree < 0) fail(failure, "clone the mount of %.200s", name);
  else if (mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) < 0) {
    result = fail(failure, "%s %.200s", mapped ? "map the ids of" : "set the flags of", name);
  }
  if (users >= 0) close(users);
  if (result == 0) return tree;
  close(tree);
  return -1;
}

int attach_mount(const struct attach_request *request, struct failure *failure) {
  char point[32];
  if (!*request->number || strlen(request->number) > 3 || strspn(request->number, "0123456789") != strlen(request->number)) {
    return fail_as(failure, EINVAL, "number: \"%.20s\" is not one of at most three digits", request->number);
  }
  snprintf(point, sizeof point, "mounts/%s", request->number);
  struct stat found;
  int source = open_source(request, &found, failure);
  if (source < 0) return -1;
  int tree = clone_mount(source, request->source, request->read_only ? MOUNT_ATTR_RDONLY : 0, &request->maps, failure);
  close(source);
  if (tree < 0) return -1;
  int result = make_point(point, found.st_mode, failure);
  if (result == 0 && move_mount(tree, "", AT_FDCWD, point, MOVE_MOUNT_F_EMPTY_PATH) < 0) result = fail(failure, "mount %.200s", request->source);
  close(tree);
  return result;
}

int attach_folder(const char *path, const struct id_maps *maps, struct failure *failure) {
  struct stat found;
  int source = open_source(&(struct attach_request){.source = path, .subpath = ""}, &found, failure);
  if (source < 0) return -1;
  int tree = S_ISDIR(found.st_mode) ? clone_mount(source, path, 0, maps, failure) : fail_as(failure, ENOTDIR, "%.200s is no folder", path);
  close(source);
  return tree;
}

void attach_undo(void) {
  char point[32];
  for (int number = 0; number < NUMBERS_MAX; number++) {
    snprintf(point, sizeof point, "mounts/%d", number);
    if (umount2(point, UMOUNT_NOFOLLOW) == 0) continue;
    if (errno == ENOENT) return;
    umount2(point, MNT_DETACH | UMOUNT_NOFOLLOW);
  }
}
