/* What kind of file one is: the image's, or made since; and opens. */
#pragma once

#include "paths.bpf.h"

/* When an inode changed was kept differently before Linux 6.11, and before 6.6. */
struct inode___since_6_6 {
  struct timespec64 __i_ctime;
};
struct inode___before_6_6 {
  struct timespec64 i_ctime;
};

static __always_inline void change_time(struct inode *inode, __u64 *seconds, __u32 *nanoseconds) {
  struct inode___since_6_6 *newer = (void *)inode;
  struct inode___before_6_6 *older = (void *)inode;
  if (bpf_core_field_exists(inode->i_ctime_sec)) {
    *seconds = BPF_CORE_READ(inode, i_ctime_sec);
    *nanoseconds = BPF_CORE_READ(inode, i_ctime_nsec) & ~CTIME_QUERIED;
  } else if (bpf_core_field_exists(newer->__i_ctime)) {
    *seconds = BPF_CORE_READ(newer, __i_ctime.tv_sec);
    *nanoseconds = BPF_CORE_READ(newer, __i_ctime.tv_nsec);
  } else if (bpf_core_field_exists(older->i_ctime)) {
    *seconds = BPF_CORE_READ(older, i_ctime.tv_sec);
    *nanoseconds = BPF_CORE_READ(older, i_ctime.tv_nsec);
  }
}

/* What overlayfs has of a file in its upper layer; it follows the inode that everybody sees. */
static __always_inline struct dentry *upper_of(struct inode *inode) {
  struct dentry *upper = NULL;
  if (BPF_CORE_READ(inode, i_sb, s_magic) == OVERLAY_MAGIC) bpf_probe_read_kernel(&upper, sizeof upper, (void *)inode + bpf_core_type_size(struct inode));
  return upper;
}

/* The same file has one inode below, however many overlays show it: hashed once, it is known in all containers of its image. */
static __always_inline struct inode *inode_below(struct inode *inode) {
  if (BPF_CORE_READ(inode, i_sb, s_magic) != OVERLAY_MAGIC) return inode;
  struct inode *below = NULL;
  struct dentry *upper = upper_of(inode);
  if (upper) {
    below = BPF_CORE_READ(upper, d_inode);
  } else if (overlay_is_known) {
    struct ovl_inode *overlay = (void *)inode - bpf_core_field_offset(struct ovl_inode, vfs_inode);
    struct ovl_entry *entry = BPF_CORE_READ(overlay, oe);
    if (BPF_CORE_READ(entry, __numlower) == 1) below = BPF_CORE_READ(entry, __lowerstack[0].dentry, d_inode);
  }
  return below ? below : inode;
}

/* IS_UPPER, IS_MEMFD: not the image's. What is on a tmpfs cannot be: every tmpfs begins empty. */
static __always_inline __u32 origin_of(struct file *file) {
  struct inode *inode = BPF_CORE_READ(file, f_inode);
  __u32 flags = 0;
  if (BPF_CORE_READ(inode, i_nlink) == 0) flags |= IS_MEMFD;
  if (upper_of(inode) || BPF_CORE_READ(inode, i_sb, s_magic) == TMPFS_MAGIC) flags |= IS_UPPER;
  return flags;
}

/* Where a read may wait for a program or another machine: of the workload's choice, and for ever. */
static __always_inline bool may_wait_for_others(struct inode *inode) {
  switch (BPF_CORE_READ(inode, i_sb, s_magic)) {
    case FUSE_MAGIC:
    case NFS_MAGIC:
    case CIFS_MAGIC:
    case SMB2_MAGIC:
    case NINEP_MAGIC:
    case CEPH_MAGIC:
    case AFS_MAGIC:
      return true;
    default:
      return false;
  }
}

/* What the loader said of the script that this task executes. */
static __always_inline __u32 judgement_of(__u32 task) {
  __u32 *judgement = bpf_map_lookup_elem(&judged, &task);
  if (!judgement) return 0;
  __u32 flags = *judgement;
  bpf_map_delete_elem(&judged, &task);
  return flags;
}

static __always_inline void add_file_identity(struct scratch *scratch, struct inode *inode) {
  struct exec_facts *exec = &scratch->event.exec;
  struct inode *below = inode_below(inode);
  exec->seen_inode = BPF_CORE_READ(inode, i_ino);
  exec->inode = BPF_CORE_READ(below, i_ino);
  exec->device = BPF_CORE_READ(below, i_sb, s_dev);
  exec->size = may_wait_for_others(inode) || may_wait_for_others(below) ? -1 : BPF_CORE_READ(below, i_size);
  change_time(below, &exec->changed_s, &exec->changed_ns);
}

/* O_CREAT and the like are not kept in the file: they are taken from the call. */
static __always_inline __u64 asked_open_flags(struct scratch *scratch, const volatile struct rule *rule) {
  __u64 flags = argument(scratch, rule->value);
  if (rule->pointed_value) bpf_probe_read_user(&flags, sizeof flags, (void *)argument(scratch, rule->pointed_value));
  if (rule->fixed_open_flags) flags = O_CREAT | O_TRUNC;
  return flags & (O_CREAT | O_EXCL | O_TRUNC);
}

static __always_inline int filtered_open(struct subject *subject) {
  count(subject->instance, FILTERED, EVENT_open);
  return 0;
}

static __always_inline int filtered_call(struct subject *subject, struct scratch *scratch) {
  count(subject->instance, FILTERED, scratch->event.type);
  return 0;
}

/* Where a relative path of this call starts: a descriptor, or AT_FDCWD. */
static __always_inline int directory_of(struct scratch *scratch, __u32 position) {
  return !position || position == WORKING_DIRECTORY ? AT_FDCWD : (int)argument(scratch, position);
}

/*
 * A path that nobody has resolved: as it was asked for, and where a relative one starts. Which path that is (`a/../b`, `//b`) the loader finds out; here it is only known
 * whether it is certain to be sensitive.
 */
static __always_inline int submit_unresolved(struct subject *subject, struct scratch *scratch, int directory) {
  struct event *event = &scratch->event;
  __u64 length = event->text[TEXT_PATH];
  BOUND(length, PATTERN_ROOM - 1);
  __builtin_memset(scratch->walk, 0, PATTERN_ROOM);
  bpf_probe_read_kernel(scratch->walk, length, scratch->texts);
  __u32 interest = interest_in(scratch, scratch->walk) & SENSITIVE;
  event->flags |= IS_USER | (interest ? IS_SENSITIVE : 0);
  event->open.interest = interest | MAYBE_SENSITIVE;
  event->open.certain = interest || subject->instance->flags & ALL_OPENS;
  add_directory(scratch, TEXT_DIRECTORY, subject->task, TEXT_PATH, 0, directory);
  return submit(scratch, subject);
}

/* An open that was not allowed has no file: only the caller knows what it asked for. Others that fail are not told. */
static __always_inline int on_failed_open(struct subject *subject, struct scratch *scratch, const volatile struct rule *rule) {
  __s64 result = scratch->call.result;
  if (!has_patterns || (result != -EACCES && result != -EPERM)) return filtered_open(subject);
  if (!begin_call(subject, rule)) return 0;
  add_user_string(scratch, TEXT_PATH, argument(scratch, rule->path));
  scratch->event.open.flags = argument(scratch, rule->value);
  return submit_unresolved(subject, scratch, directory_of(scratch, rule->directory));
}

/* Decided before a record is begun: nearly all opens are of nobody's interest. */
static __always_inline int on_open(struct subject *subject, struct scratch *scratch, const volatile struct rule *rule) {
  if (scratch->call.result < 0) return on_failed_open(subject, scratch, rule);
  struct file *file = file_of(subject->task, scratch->call.result);
  if (!file) return filtered_open(subject); /* another thread has closed it */
  __u32 mode = BPF_CORE_READ(file, f_mode), inode_mode = BPF_CORE_READ(file, f_inode, i_mode), interest = 0, walked = PATH_ROOM;
  bool made = mode & FMODE_CREATED;
  bool wanted = subject->instance->flags & ALL_OPENS || (made && inode_mode & EXECUTABLE);
  bool watched = may_be_watched(file);
  if (!wanted && !watched) return filtered_open(subject);
  walked = walk_up((__u64)BPF_CORE_READ(file, f_path.dentry), (__u64)BPF_CORE_READ(file, f_path.mnt), scratch);
  __u64 at = walked & ~PATH_IS_CUT;
  BOUND(at, PATH_ROOM);
  if (watched) interest = interest_in(scratch, scratch->walk + at);
  if (!(mode & FMODE_WRITE)) interest &= ~(WRITE_WATCHED | MAYBE_WRITE_WATCHED);
  if (!wanted && !interest) return filtered_open(subject);
  if (!begin_call(subject, rule)) return 0;
  struct event *event = &scratch->event;
  add_walked(scratch, TEXT_PATH, walked);
  event->flags |= origin_of(file);
  if (interest & SENSITIVE) event->flags |= IS_SENSITIVE;
  if (mode & FMODE_WRITE) event->flags |= IS_WRITE;
  event->open.flags = BPF_CORE_READ(file, f_flags) | asked_open_flags(scratch, rule);
  if (made) event->open.mode = inode_mode & ALL_MODES;
  /* What is told anyway needs no comparison by the loader, unless to say that it is sensitive. */
  event->open.certain = wanted || interest & (SENSITIVE | WRITE_WATCHED);
  event->open.interest = interest;
  return submit(scratch, subject);
}

/* open_by_handle_at(2): the path of what it opened. */
static __always_inline int on_handle(struct subject *subject, struct scratch *scratch) {
  struct file *file = scratch->call.result < 0 ? NULL : file_of(subject->task, scratch->call.result);
  if (file) add_file_path(scratch, TEXT_PATH, file);
  return submit(scratch, subject);
}

/* Of a file that was open already, by its descriptor: fchmod, fchown, finit_module. */
static __always_inline int on_descriptor(struct subject *subject, struct scratch *scratch, const volatile struct rule *rule) {
  struct file *file = file_of(subject->task, argument(scratch, rule->descriptor));
  if (file) add_file_path(scratch, TEXT_PATH, file);
  if (rule->detail) add_user_string(scratch, TEXT_DETAIL, argument(scratch, rule->detail));
  scratch->event.value = argument(scratch, rule->value);
  return submit(scratch, subject);
}

/* ftruncate: databases do it all the time, so only of what is watched. */
static __always_inline int on_size(struct subject *subject, struct scratch *scratch, const volatile struct rule *rule) {
  struct file *file = scratch->call.result < 0 ? NULL : file_of(subject->task, argument(scratch, rule->descriptor));
  if (!file || !may_be_watched(file)) return filtered_call(subject, scratch);
  __u32 walked = walk_up((__u64)BPF_CORE_READ(file, f_path.dentry), (__u64)BPF_CORE_READ(file, f_path.mnt), scratch);
  __u64 at = walked & ~PATH_IS_CUT;
  BOUND(at, PATH_ROOM);
  __u32 interest = interest_in(scratch, scratch->walk + at);
  if (!interest) return filtered_call(subject, scratch);
  if (interest & SENSITIVE) scratch->event.flags |= IS_SENSITIVE;
  scratch->event.flags |= IS_WRITE;
  scratch->event.value = argument(scratch, rule->value);
  add_walked(scratch, TEXT_PATH, walked);
  return submit(scratch, subject);
}

/* A script that may not be executed: told as an open, since no program was started. */
static __always_inline int on_refused_program(struct subject *subject, struct scratch *scratch, const volatile struct rule *rule) {
  __u32 judgement = judgement_of(scratch->event.tid);
  if (!(judgement & IS_DENIED)) return 0;
  add_user_string(scratch, TEXT_PATH, argument(scratch, rule->path));
  scratch->event.flags |= IS_UPPER | judgement;
  scratch->event.open.flags = FMODE_EXEC;
  scratch->event.open.certain = 1;
  scratch->event.open.interest = MAYBE_SENSITIVE;
  add_directory(scratch, TEXT_DIRECTORY, subject->task, TEXT_PATH, 0, directory_of(scratch, rule->directory));
  return submit(scratch, subject);
}

/* unlink, rename, mount and all others that name one or two paths. Texts are added in the order of enum text. */
static __always_inline int on_paths(struct subject *subject, struct scratch *scratch, const volatile struct rule *rule) {
  if (rule->path) add_user_string(scratch, TEXT_PATH, argument(scratch, rule->path));
  __u64 target_at = scratch->used;
  if (rule->target) add_user_string(scratch, TEXT_TARGET, argument(scratch, rule->target));
  if (rule->directory) add_directory(scratch, TEXT_DIRECTORY, subject->task, TEXT_PATH, 0, directory_of(scratch, rule->directory));
  if (rule->target_directory) add_directory(scratch, TEXT_TARGET_DIRECTORY, subject->task, TEXT_TARGET, target_at, directory_of(scratch, rule->target_directory));
  if (rule->detail) add_user_string(scratch, TEXT_DETAIL, argument(scratch, rule->detail));
  scratch->event.value = argument(scratch, rule->value);
  return submit(scratch, subject);
}
