/* Everything that outlives one run of a program: what the loader has set, who is who, and the way out. */
#pragma once

#include "base.bpf.h"

/* What to do at the end of which system call: [0] 64-bit, [1] 32-bit. */
const volatile struct rule rules[2][SYSCALLS] = {};
/* By a call number of socketcall(2), which 32-bit system call it stands for. */
const volatile __u16 socketcalls[32] = {};
const volatile __u64 ring_size = 1;
/* 1, when `struct ovl_entry` says what is below an overlay's file. */
const volatile __u32 overlay_is_known = 0;

/* Level of the loader's own pid namespace, found by itself. Containers begin one below. */
__u32 own_level = 0;
/* Strangers are stamped from this many levels below our own on; 0: not at all. */
__u32 watch_level = 0;
__u32 watch_flags = 0;
__u64 last_stranger = 0;
/* Some instance was registered by process: only then is it worth asking each task. */
__u32 has_members = 0;
/* Nothing has come for a while: the loader sleeps until it is woken. */
__u32 loader_sleeps = 0;
/* How often the ring has become so full that instances have a share of it only; odd: it is now. */
__u64 pressure = 0;
/* Grows whenever something is lost, so that the loader knows when to look whose it was. */
__u64 lost = 0;
/* Which names occur in patterns: a bit for each hash. */
__u64 name_filter[FILTER_WORDS] = {};
/* Some pattern has no name to go by, as `/`. */
__u32 every_name = 0;
__u32 has_patterns = 0;

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 16 << 20);
} ring SEC(".maps");

/* By the inode of a pid namespace one level below ours. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 16384);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, __u32);
  __type(value, struct registration);
} namespaces SEC(".maps");

/* Tasks of which there is something to know that their pid namespace does not say. */
struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct member);
} members SEC(".maps");

/* By cookie. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 16384);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, __u64);
  __type(value, struct instance);
} instances SEC(".maps");

/* Scripts that the loader has judged, by task: IS_DENIED or WOULD_DENY. Its execve(2) tells, when it ends. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, __u32);
  __type(value, __u32);
} judged SEC(".maps");

/* Longest literal beginning of a pattern → enum interest. */
struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(max_entries, 4096);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct path_key);
  __type(value, __u32);
} paths SEC(".maps");

enum {
  TEXT_ROOM = PATH_ROOM * TEXTS,
  WALK_SLACK = 256, /* a name is 255 bytes at most */
};

/* A system call that has ended. */
struct call {
  __u64 arguments[8]; /* the last two are always 0 */
  __s64 result;
  __u32 number;
  __u32 compat;
};

/* Too large for the stack. One per CPU: these programs cannot be interrupted by one another, tracepoints run with preemption off. */
struct scratch {
  struct event event;
  char texts[TEXT_ROOM];
  __u64 used; /* of texts */
  struct call call;
  struct path_key key;
  char walk[PATH_ROOM + WALK_SLACK];
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct scratch);
} scratches SEC(".maps");

static __always_inline struct scratch *scratch_of_this_cpu(void) {
  __u32 first = 0;
  return bpf_map_lookup_elem(&scratches, &first);
}

/* An argument by its position, from 1, as rules name it; 0 for position 0. */
static __always_inline __u64 argument(struct scratch *scratch, __u32 position) { return scratch->call.arguments[(position - 1) & 7]; }
