#include "hashes.h"

#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SLOTS = 4096, PROBES = 8, MOST_SIZE = 64 << 20, MOST_WAITING = 1024, BLOCK = 128 << 10, COOKIES = 1024, MOST_OF_COOKIE = 64 };

/* Bytes a millisecond that an instance may have hashed on average, and how far it may be ahead of that. */
enum { BYTES_PER_MS = 32 << 10, AHEAD_MS = 16 * 1024 };

/* What tells one content from another. */
struct file_key {
  uint64_t device, inode, changed_s, size;
  uint64_t changed_ns;
};

enum state { UNKNOWN, KNOWN };

struct slot {
  struct file_key key;
  enum state state;
  char sha256[HASH_TEXT];
};

struct job {
  STAILQ_ENTRY(job) next;
  struct file_key key;
  uint64_t cookie, start, seen_inode, told_inode;
  uint32_t pid;
  int held; /* O_PATH, as the process has it; -1: below root */
  char *root, *path;
  bool done;
  char sha256[HASH_TEXT];
};

STAILQ_HEAD(jobs, job);

static struct {
  struct slot slots[SLOTS]; /* main thread only */
  hash_tell tell;
  struct watch finished;
  size_t waiting; /* main thread only, as the next */
  struct {
    uint32_t waiting;
    int64_t due; /* ms; until when its share is used up */
  } of_cookie[COOKIES]; /* so that one instance does not keep the hashes of all others waiting */
  pthread_mutex_t lock;
  pthread_cond_t more;
  struct jobs todo, done;
} hashes = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

static struct file_key key_of(const struct exec_facts *exec) {
  return (struct file_key){exec->device, exec->inode, exec->changed_s, exec->size, exec->changed_ns};
}

static struct slot *slot_of(const struct file_key *key, bool add) {
  uint64_t hash = (key->inode * 0x9E3779B97F4A7C15u) ^ (key->device * 0xFF51AFD7ED558CCDu) ^ key->changed_s ^ key->changed_ns << 20;
  struct slot *slot = NULL;
  for (unsigned probe = 0; probe < PROBES; probe++) {
    slot = &hashes.slots[((hash ^ hash >> 32) + probe) % SLOTS];
    if (slot->state != UNKNOWN && memcmp(&slot->key, key, sizeof *key) == 0) return slot;
    if (slot->state == UNKNOWN) break;
  }
  if (!add) return NULL;
  *slot = (struct slot){.key = *key}; /* when all are taken, the last one gives way */
  return slot;
}

static int open_below(const char *root, const char *path) {
  int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return -1;
  /* The path is the workload's: nothing in it leads out of its root, and a named pipe does not stop us. */
  struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  int file = (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
  close(folder);
  return file;
}

static int open_held(int held) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", held);
  return open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Whether the open file is the one that was executed, and still as it was. */
static bool is_the_file(int file, const struct job *job) {
  struct stat status;
  if (fstat(file, &status) || !S_ISREG(status.st_mode)) return false;
  return (status.st_ino == job->seen_inode || status.st_ino == job->key.inode) && (uint64_t)status.st_size == job->key.size &&
         (uint64_t)status.st_ctim.tv_sec == job->key.changed_s && (uint64_t)status.st_ctim.tv_nsec == job->key.changed_ns;
}

static bool hash_file(int file, struct job *job) {
  static unsigned char block[BLOCK]; /* one thread */
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256_CTX context;
  SHA256_Init(&context);
  uint64_t left = job->key.size;
  for (;;) {
    ssize_t bytes = read(file, block, sizeof block);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0 || (uint64_t)bytes > left) return false;
    if (bytes == 0) break;
    SHA256_Update(&context, block, (size_t)bytes);
    left -= (uint64_t)bytes;
  }
  SHA256_Final(digest, &context);
  for (unsigned index = 0; index < sizeof digest; index++) {
    job->sha256[2 * index] = "0123456789abcdef"[digest[index] >> 4];
    job->sha256[2 * index + 1] = "0123456789abcdef"[digest[index] & 15];
  }
  return left == 0;
}

static void work(struct job *job) {
  int file = job->held < 0 ? -1 : open_held(job->held);
  /* The process may have gone on to another program: then the path is what is left, too. */
  if (file >= 0 && !is_the_file(file, job)) {
    close(file);
    file = -1;
  }
  if (job->held >= 0) close(job->held);
  if (file < 0 && job->root) file = open_below(job->root, job->path);
  if (file < 0) return;
  job->done = is_the_file(file, job) && hash_file(file, job) && is_the_file(file, job);
  close(file);
}

static void *run(void *unused) {
  (void)unused;
  for (;;) {
    pthread_mutex_lock(&hashes.lock);
    while (STAILQ_EMPTY(&hashes.todo)) pthread_cond_wait(&hashes.more, &hashes.lock);
    struct job *job = STAILQ_FIRST(&hashes.todo);
    STAILQ_REMOVE_HEAD(&hashes.todo, next);
    pthread_mutex_unlock(&hashes.lock);
    work(job);
    pthread_mutex_lock(&hashes.lock);
    STAILQ_INSERT_TAIL(&hashes.done, job, next);
    pthread_mutex_unlock(&hashes.lock);
    eventfd_write(hashes.finished.fd, 1);
  }
  return NULL;
}

static void on_finished(struct watch *watch, uint32_t events) {
  (void)events;
  eventfd_t count;
  eventfd_read(watch->fd, &count);
  pthread_mutex_lock(&hashes.lock);
  struct jobs done = STAILQ_HEAD_INITIALIZER(done);
  STAILQ_CONCAT(&done, &hashes.done);
  pthread_mutex_unlock(&hashes.lock);
  while (!STAILQ_EMPTY(&done)) {
    struct job *job = STAILQ_FIRST(&done);
    STAILQ_REMOVE_HEAD(&done, next);
    hashes.waiting--;
    hashes.of_cookie[job->cookie % COOKIES].waiting--;
    if (job->done) {
      struct slot *slot = slot_of(&job->key, true);
      slot->state = KNOWN;
      memcpy(slot->sha256, job->sha256, HASH_TEXT);
      hashes.tell(job->cookie, job->pid, job->start, job->told_inode, job->sha256);
    }
    free(job->root);
    free(job->path);
    free(job);
  }
}

void hashes_open(hash_tell tell) {
  hashes.tell = tell;
  STAILQ_INIT(&hashes.todo);
  STAILQ_INIT(&hashes.done);
  hashes.finished = (struct watch){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .ready = on_finished};
  pthread_t thread;
  if (hashes.finished.fd < 0 || !loop_add(&hashes.finished, EPOLLIN) || pthread_create(&thread, NULL, run, NULL)) {
    fprintf(stderr, "dayfly-sensor: programs are not hashed: no thread for it\n");
    hashes.waiting = MOST_WAITING;
  }
}

static void begin(const struct event *event, const struct file_key *key, const char *root, const char *path, uint32_t path_length) {
  int64_t now = now_ms(), *due = &hashes.of_cookie[event->cookie % COOKIES].due;
  uint32_t *waiting = &hashes.of_cookie[event->cookie % COOKIES].waiting;
  if (hashes.waiting >= MOST_WAITING || *waiting >= MOST_OF_COOKIE || *due > now + AHEAD_MS) return;
  char link[64];
  snprintf(link, sizeof link, "/proc/%u/exe", event->pid);
  /* Only held: opening and reading may take their time, in the other thread. */
  int held = open(link, O_PATH | O_CLOEXEC);
  struct job *job = held < 0 && !root ? NULL : calloc(1, sizeof *job);
  if (!job) {
    if (held >= 0) close(held);
    return;
  }
  *due = (*due > now ? *due : now) + (int64_t)(key->size / BYTES_PER_MS);
  job->key = *key;
  job->cookie = event->cookie;
  job->start = event->start;
  job->pid = event->pid;
  job->seen_inode = event->exec.seen_inode;
  job->told_inode = event->exec.inode;
  job->held = held;
  job->root = root ? strdup(root) : NULL;
  job->path = strndup(path, path_length);
  hashes.waiting++;
  ++*waiting;
  pthread_mutex_lock(&hashes.lock);
  STAILQ_INSERT_TAIL(&hashes.todo, job, next);
  pthread_cond_signal(&hashes.more);
  pthread_mutex_unlock(&hashes.lock);
}

bool hash_of_exec(const struct event *exec, const char *root, const char *path, uint32_t path_length, char sha256[HASH_TEXT]) {
  const struct file_key key = key_of(&exec->exec);
  if (key.size > MOST_SIZE) return false;
  const struct slot *slot = slot_of(&key, false);
  if (slot) {
    memcpy(sha256, slot->sha256, HASH_TEXT);
    return true;
  }
  begin(exec, &key, root, path, path_length);
  return false;
}
