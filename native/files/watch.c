#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "files/answer.h"
#include "files/operations.h"

enum { MOST_FOLDERS = 4096, MOST_DEPTH = 64, ROOM = 64 * 1024 };
#define WATCHED (IN_CREATE | IN_MODIFY | IN_ATTRIB | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF)

struct watching {
  int fd;
  const char *root;
  bool recursive;
  char *below[MOST_FOLDERS + 1]; /* paths by watch descriptor, which inotify counts up from 1; "" is the root */
};

static int add(struct watching *watching, const char *below, unsigned depth, struct failure *failure) {
  char path[PATH_MAX];
  if (snprintf(path, sizeof path, "%s%s%s", watching->root, *below ? "/" : "", below) >= (int)sizeof path) return 0;
  int number = inotify_add_watch(watching->fd, path, WATCHED | (*below ? IN_DONT_FOLLOW | IN_ONLYDIR : 0));
  if (number < 0 && *below && (errno == ENOENT || errno == ENOTDIR || errno == EACCES)) return 0; /* gone, something else, or not ours to see */
  if (number < 0) return fail(failure, "watch %.300s", path);
  if (number > MOST_FOLDERS) return fail_as(failure, ENOSPC, "there are more than %d folders in %.300s", MOST_FOLDERS, watching->root);
  free(watching->below[number]);
  watching->below[number] = strdup(below);
  if (!watching->below[number]) return fail(failure, "watch %.300s", path);
  if (!watching->recursive || depth >= MOST_DEPTH) return 0;
  DIR *entries = opendir(path);
  int result = 0;
  for (struct dirent *entry; entries && result == 0 && (entry = readdir(entries));) {
    char next[PATH_MAX];
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)) continue;
    if (snprintf(next, sizeof next, "%s%s%s", below, *below ? "/" : "", entry->d_name) >= (int)sizeof next) continue;
    result = add(watching, next, depth + 1, failure);
  }
  if (entries) closedir(entries);
  return result;
}

static const char *word_of(uint32_t mask) {
  if (mask & (IN_CREATE | IN_MOVED_TO)) return "create";
  if (mask & IN_MODIFY) return "write";
  if (mask & (IN_DELETE | IN_DELETE_SELF)) return "remove";
  if (mask & (IN_MOVED_FROM | IN_MOVE_SELF)) return "rename";
  return mask & IN_ATTRIB ? "chmod" : NULL;
}

/* 1: what is watched is gone. */
static int tell(struct watching *watching, const struct inotify_event *event, struct failure *failure) {
  static char last[PATH_MAX];
  static const char *last_word;
  if (event->mask & IN_Q_OVERFLOW) {
    answer("lost", NULL);
    return 0;
  }
  const char *below = event->wd >= 1 && event->wd <= MOST_FOLDERS ? watching->below[event->wd] : NULL;
  if (!below) return 0;
  if (event->mask & IN_IGNORED) return !*below;
  const char *word = word_of(event->mask);
  /* Of a folder inside, the one above tells it. */
  if (!word || (*below && !event->len && event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB))) return 0;
  char path[PATH_MAX];
  const char *name = event->len ? event->name : "";
  if (snprintf(path, sizeof path, "%s%s%s", below, *below && *name ? "/" : "", name) >= (int)sizeof path) return 0;
  /* A file that grows tells so at each of its writes. */
  bool again = last_word == word && !strcmp(word, "write") && !strcmp(last, path);
  if (!again) answer("change", word, path, NULL);
  last_word = word;
  strcpy(last, path);
  if (watching->recursive && event->mask & IN_ISDIR && event->mask & (IN_CREATE | IN_MOVED_TO)) return add(watching, path, 1, failure);
  return 0;
}

int files_watch(const char *path, bool recursive, struct failure *failure) {
  static char room[ROOM] __attribute__((aligned(__alignof__(struct inotify_event))));
  static struct watching watching;
  watching = (struct watching){.fd = inotify_init1(IN_CLOEXEC), .root = strcmp(path, "/") ? path : "", .recursive = recursive};
  if (watching.fd < 0) return fail(failure, "watch files");
  if (access(path, F_OK) < 0) return fail(failure, "watch %.300s", path);
  if (!*watching.root) watching.root = "/.";
  if (add(&watching, "", 0, failure) < 0) return -1;
  answer("watching", NULL);
  answer_flush();
  for (;;) {
    ssize_t size = read(watching.fd, room, sizeof room);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return fail(failure, "hear of changes");
    for (char *at = room; at < room + size;) {
      const struct inotify_event *event = (const void *)at;
      int result = tell(&watching, event, failure);
      if (result < 0) return -1;
      if (result > 0) {
        answer("done", NULL);
        return 0;
      }
      at += sizeof *event + event->len;
    }
    answer_flush();
  }
}
