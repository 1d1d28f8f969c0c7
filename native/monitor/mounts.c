#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach.h"
#include "users.h"

#define OVERLAY_OPTIONS_MAX 4096 /* what mount(2) takes: one page, its final NUL included */

int mounts_leave_host(bool hybrid, struct failure *failure) {
  if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0) return fail(failure, "unshare the mount and network namespaces");
  /* Slave, not private: nothing gets out, but what the host unmounts later is not kept busy by every running instance. */
  if (mount("", "/", NULL, MS_SLAVE | MS_REC, NULL) < 0) return fail(failure, "detach the mounts from the host's");
  const char *unified = "/sys/fs/cgroup/unified";
  if (hybrid && umount2(unified, MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT) return fail(failure, "unmount %s", unified);
  return 0;
}

static int make_folder(const char *name, struct failure *failure) {
  return mkdir(name, 0755) < 0 && errno != EEXIST ? fail(failure, "make folder %s", name) : 0;
}

static bool is_kernel(int major, int minor) {
  struct utsname host;
  int has_major = 0, has_minor = 0;
  if (uname(&host) < 0 || sscanf(host.release, "%d.%d", &has_major, &has_minor) != 2) return false;
  return has_major > major || (has_major == major && has_minor >= minor);
}

int mounts_prepare(struct failure *failure) {
  const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (make_folder("sys", failure) < 0 || make_folder("secrets", failure) < 0) return -1;
  if (mount("sysfs", "sys", "sysfs", flags | MS_RDONLY, NULL) < 0) return fail(failure, "mount sysfs on sys");
  /* Secrets stay out of swap where the kernel can promise that. An older one would complain of the option in its log, at each start. */
  if (is_kernel(6, 4) && mount("tmpfs", "secrets", "tmpfs", flags, "size=1m,mode=0755,noswap") == 0) return 0;
  if (mount("tmpfs", "secrets", "tmpfs", flags, "size=1m,mode=0755") < 0) return fail(failure, "mount a tmpfs on secrets");
  return 0;
}

int mounts_map_layers(const char *layers, uint32_t first, uint32_t count, struct failure *failure) {
  if (make_folder("layers", failure) < 0) return -1;
  char map[64];
  snprintf(map, sizeof map, "0 %u %u", first, count);
  int users = users_open(&(struct id_maps){map, map}, failure);
  if (users < 0) return -1;
  int result = -1;
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, .userns_fd = (unsigned)users};
  int tree = open_tree(AT_FDCWD, layers, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (tree < 0) fail(failure, "clone the mount of %s", layers);
  else if (mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) < 0) fail(failure, "map the ids of %s by an idmapped mount", layers);
  else if (move_mount(tree, "", AT_FDCWD, "layers", MOVE_MOUNT_F_EMPTY_PATH) < 0) fail(failure, "mount the layers");
  else result = 0;
  if (tree >= 0) close(tree);
  close(users);
  return result;
}

static bool is_layer_list(const char *lower) {
  if (!*lower || strpbrk(lower, ",\\")) return false;
  for (const char *name = lower;; name++) {
    size_t length = strcspn(name, ":");
    if (length == 0 || memchr(name, '/', length) || (length == 1 && name[0] == '.') || (length == 2 && !strncmp(name, "..", 2))) return false;
    name += length;
    if (!*name) return true;
  }
}

int mounts_overlay(const char *lower, const char *upper, const char *work, bool is_volatile, struct failure *failure) {
  if (!is_layer_list(lower)) return fail_as(failure, EINVAL, "lower: not a list of folder names in the layers folder, separated by ':'");
  if (!*upper || strpbrk(upper, ",:\\")) return fail_as(failure, EINVAL, "upper: \"%.200s\" is not a path without ',' ':' and '\\'", upper);
  if (!*work || strpbrk(work, ",:\\")) return fail_as(failure, EINVAL, "work: \"%.200s\" is not a path without ',' ':' and '\\'", work);
  if (make_folder("rootfs", failure) < 0) return -1;
  char options[OVERLAY_OPTIONS_MAX];
  int length = snprintf(options, sizeof options, "%slowerdir=%s,upperdir=%s%s,workdir=%s%s", is_volatile ? "volatile," : "", lower,
                        *upper == '/' ? "" : "../", upper, *work == '/' ? "" : "../", work);
  if (length >= (int)sizeof options) {
    return fail_as(failure, E2BIG, "lower: the options of the overlay are %d bytes long, the kernel takes %d", length, OVERLAY_OPTIONS_MAX - 1);
  }
  int folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return fail(failure, "open the instance's folder");
  int result = 0;
  if (chdir("layers") < 0) result = fail(failure, "change to folder layers");
  else if (mount("overlay", "../rootfs", "overlay", MS_NODEV | MS_NOSUID, options) < 0) {
    result = fail(failure, "mount an overlay of %.200s on rootfs", lower);
  }
  if (fchdir(folder) < 0) result = fail(failure, "change back to the instance's folder");
  close(folder);
  return result;
}

int mounts_hide_core_sysctls(struct failure *failure) {
  if (unshare(CLONE_NEWNS) < 0) return fail(failure, "unshare the mount namespace");
  if (mount("", "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0) return fail(failure, "detach the mounts from the monitor's");
  if (mount("tmpfs", "/proc/sys/net/core", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "size=4k,mode=0555") == 0) return 0;
  return fail(failure, "hide /proc/sys/net/core from gVisor");
}

void mounts_undo(void) {
  attach_undo();
  static const char *const points[] = {"rootfs", "layers", "secrets", "sys"};
  for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
    if (umount2(points[i], UMOUNT_NOFOLLOW) < 0 && errno == EBUSY) umount2(points[i], MNT_DETACH | UMOUNT_NOFOLLOW);
  }
}
