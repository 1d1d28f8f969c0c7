/* Paths as the kernel has them, from a task's own root, and whether one is watched. */
#pragma once

#include "record.bpf.h"

enum { MOST_STEPS = 256 };

struct walk {
  struct dentry *dentry, *root_dentry;
  struct vfsmount *mount, *root_mount;
  char *buffer;
  __u32 at; /* where the path begins in the buffer; grows downwards */
  __u32 complete;
};

/* One step up: to the folder above, or where a mount's root is mounted. False at the top. */
static __always_inline bool step_up(struct dentry **dentry, struct vfsmount **mount, struct dentry *parent, bool *crossed) {
  struct dentry *mount_root = BPF_CORE_READ(*mount, mnt_root);
  *crossed = *dentry == mount_root || *dentry == parent;
  if (!*crossed) {
    *dentry = parent;
    return true;
  }
  struct mount *here = (void *)*mount - bpf_core_field_offset(struct mount, mnt), *above = BPF_CORE_READ(here, mnt_parent);
  if (*dentry != mount_root || above == here) return false;
  *dentry = BPF_CORE_READ(here, mnt_mountpoint);
  *mount = (void *)above + bpf_core_field_offset(struct mount, mnt);
  return true;
}

static __always_inline bool write_name(struct walk *walk, struct dentry *dentry) {
  struct qstr name;
  bpf_core_read(&name, sizeof name, &dentry->d_name);
  __u32 length = name.len & (WALK_SLACK - 1);
  if (walk->at < length + 1) return false;
  __u32 at = walk->at - length - 1;
  if (at >= PATH_ROOM) return false;
  walk->buffer[at] = '/';
  bpf_probe_read_kernel(walk->buffer + at + 1, length, name.name);
  walk->at = at;
  return true;
}

static long write_step(__u32 index, struct walk *walk) {
  struct dentry *here = walk->dentry;
  struct vfsmount *mount = walk->mount;
  bool crossed;
  if (here == walk->root_dentry && mount == walk->root_mount) {
    walk->complete = 1;
    return 1;
  }
  if (!step_up(&walk->dentry, &walk->mount, BPF_CORE_READ(here, d_parent), &crossed)) {
    /* The top of all, or of what is mounted nowhere; or a file that is in no folder, as memfds are. */
    walk->complete = 1;
    if (walk->at == PATH_ROOM && here != BPF_CORE_READ(mount, mnt_root)) write_name(walk, here);
    return 1;
  }
  return !crossed && !write_name(walk, here);
}

/* Writes a path into scratch->walk, ending before PATH_ROOM. Returns where it begins; | PATH_IS_CUT when its beginning did not fit. Verified on its own, hence numbers for pointers. */
#define PATH_IS_CUT (1u << 31)
__noinline __u32 walk_up(__u64 dentry, __u64 mount, struct scratch *scratch) {
  if (!scratch) return PATH_ROOM;
  struct task_struct *task = bpf_get_current_task_btf();
  struct walk walk = {.buffer = scratch->walk, .at = PATH_ROOM, .dentry = (void *)dentry, .mount = (void *)mount};
  walk.root_dentry = BPF_CORE_READ(task, fs, root.dentry);
  walk.root_mount = BPF_CORE_READ(task, fs, root.mnt);
  bpf_loop(MOST_STEPS, write_step, &walk, 0);
  __u32 at = walk.at;
  if (at >= PATH_ROOM) {
    at = PATH_ROOM - 1;
    scratch->walk[PATH_ROOM - 1] = '/';
  }
  return walk.complete ? at : at | PATH_IS_CUT;
}

static __always_inline void add_walked(struct scratch *scratch, __u32 text, __u32 walked) {
  if (walked & PATH_IS_CUT) scratch->event.flags |= IS_UNREAD;
  __u64 at = walked & ~PATH_IS_CUT, length;
  BOUND(at, PATH_ROOM);
  length = PATH_ROOM - at;
  add_text(scratch, text, scratch->walk + at, length);
}

static __always_inline void add_path(struct scratch *scratch, __u32 text, struct dentry *dentry, struct vfsmount *mount) {
  add_walked(scratch, text, walk_up((__u64)dentry, (__u64)mount, scratch));
}

static __always_inline void add_file_path(struct scratch *scratch, __u32 text, struct file *file) {
  add_path(scratch, text, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt));
}

static __always_inline void add_working_directory(struct scratch *scratch, __u32 text, struct task_struct *task) {
  add_path(scratch, text, BPF_CORE_READ(task, fs, pwd.dentry), BPF_CORE_READ(task, fs, pwd.mnt));
}

static __always_inline struct file *file_of(struct task_struct *task, __u32 descriptor) {
  struct fdtable *table = BPF_CORE_READ(task, files, fdt);
  if (descriptor >= BPF_CORE_READ(table, max_fds)) return NULL;
  struct file **files = BPF_CORE_READ(table, fd), *file = NULL;
  bpf_probe_read_kernel(&file, sizeof file, files + descriptor);
  return file;
}

/* Where a relative path starts, when the text before is one. */
static __always_inline void add_directory(struct scratch *scratch, __u32 text, struct task_struct *task, __u32 path, __u64 path_at, int descriptor) {
  if (path_at >= TEXT_ROOM) return;
  if (scratch->event.text[path] && scratch->texts[path_at] == '/') return;
  if (descriptor == AT_FDCWD) {
    add_working_directory(scratch, text, task);
    return;
  }
  struct file *directory = file_of(task, descriptor);
  if (directory) add_file_path(scratch, text, directory);
}

struct name_search {
  struct dentry *dentry;
  struct vfsmount *mount;
  __u32 found;
};

static long look_at_name(__u32 index, struct name_search *search) {
  struct dentry *here = search->dentry;
  struct qstr name;
  __u64 first_bytes = 0;
  bool crossed;
  bpf_core_read(&name, sizeof name, &here->d_name);
  if (!step_up(&search->dentry, &search->mount, BPF_CORE_READ(here, d_parent), &crossed)) return 1;
  if (crossed) return 0;
  /* Short names are within the dentry, long ones have at least that many bytes: reading 8 is always within bounds. */
  bpf_probe_read_kernel(&first_bytes, sizeof first_bytes, name.name);
  __u32 bit = name_filter_bit(first_bytes, name.len);
  if (!(name_filter[(bit / 64) & (FILTER_WORDS - 1)] & (1ULL << (bit % 64)))) return 0;
  search->found = 1;
  return 1;
}

/* Cheap, and never wrong when it says no: writing the whole path and looking it up is for the few that pass. */
static __always_inline bool may_be_watched(struct file *file) {
  if (!has_patterns) return false;
  if (every_name) return true;
  struct name_search search = {.dentry = BPF_CORE_READ(file, f_path.dentry), .mount = BPF_CORE_READ(file, f_path.mnt)};
  bpf_loop(MOST_STEPS, look_at_name, &search, 0);
  return search.found;
}

/* enum interest of a NUL-ended path in kernel memory, which is not shorter than PATTERN_ROOM. */
static __always_inline __u32 interest_in(struct scratch *scratch, const void *path) {
  scratch->key.bits = PATTERN_ROOM * 8;
  if (bpf_probe_read_kernel(scratch->key.path, PATTERN_ROOM, path)) return 0;
  __u32 *interest = bpf_map_lookup_elem(&paths, &scratch->key);
  return interest ? *interest : 0;
}
