/*
 * Bridges and their ports. Deleting one sleeps in the kernel (16 to 40 ms, until nobody can be looking at it any more), so a thread does it while the requests
 * behind it go on. One after the other: several at once (by their group) take half the time, but hold the lock that every new link needs
 * throughout, and the start of an instance must not wait for the end of a hundred others.
 */
#include "links.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netlink/netlink.h"
#include "operations.h"
#include "wire/wire.h"

struct deletion {
  struct deletion *next;
  char *tag, *name;
};

static struct {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct deletion *first, **last;
  bool running, ending;
  pthread_t thread;
} deleter = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .last = &deleter.first};

static void carry_out(struct deletion *deletion) {
  struct netlink netlink;
  struct failure failure;
  struct call call = {.tag = deletion->tag};
  int result = netlink_open(&netlink, &failure);
  if (result == 0) {
    result = netlink_delete_link(&netlink, deletion->name, &failure);
    close(netlink.fd);
  }
  /* When the answer cannot be written, main sees the same at its next one, or the end of its input. */
  if (result == 0) answer(&call, NULL, NULL);
  else answer_failure(&call, &failure);
}

static void free_deletion(struct deletion *deletion) {
  if (!deletion) return;
  free(deletion->tag);
  free(deletion->name);
  free(deletion);
}

static void *run_deleter(void *unused) {
  pthread_mutex_lock(&deleter.lock);
  while (deleter.first || !deleter.ending) {
    struct deletion *next = deleter.first;
    if (!next) {
      pthread_cond_wait(&deleter.changed, &deleter.lock);
      continue;
    }
    deleter.first = next->next;
    if (!deleter.first) deleter.last = &deleter.first;
    pthread_mutex_unlock(&deleter.lock);
    carry_out(next);
    free_deletion(next);
    pthread_mutex_lock(&deleter.lock);
  }
  pthread_mutex_unlock(&deleter.lock);
  return unused;
}

static int enqueue(struct deletion *deletion) {
  pthread_mutex_lock(&deleter.lock);
  int error = deleter.running ? 0 : pthread_create(&deleter.thread, NULL, run_deleter, NULL);
  if (!error) {
    deleter.running = true;
    *deleter.last = deletion;
    deleter.last = &deletion->next;
    pthread_cond_signal(&deleter.changed);
  }
  pthread_mutex_unlock(&deleter.lock);
  return error;
}

void finish_deletions(void) {
  pthread_mutex_lock(&deleter.lock);
  deleter.ending = true;
  pthread_cond_signal(&deleter.changed);
  pthread_mutex_unlock(&deleter.lock);
  if (deleter.running) pthread_join(deleter.thread, NULL);
}

/* One handle for all that is done at once. */
static struct netlink *handle(struct failure *failure) {
  static struct netlink netlink = {.fd = -1};
  return netlink.fd >= 0 || netlink_open(&netlink, failure) == 0 ? &netlink : NULL;
}

int add_bridge(const struct call *call, struct failure *failure) {
  struct network_address address;
  if (netlink_check_name(call->argument[0], "bridge", failure) < 0) return -1;
  if (netlink_parse_address(call->argument[1], &address, failure) < 0) return -1;
  struct netlink *netlink = handle(failure);
  if (!netlink || netlink_add_bridge(netlink, call->argument[0], &address, failure) < 0) return -1;
  return answer(call, NULL, NULL);
}

int isolate_port(const struct call *call, struct failure *failure) {
  uint64_t isolated;
  if (netlink_check_name(call->argument[0], "port", failure) < 0) return -1;
  if (wire_number(call->argument[1], "isolated", 0, 1, &isolated, failure) < 0) return -1;
  struct netlink *netlink = handle(failure);
  if (!netlink || netlink_isolate_port(netlink, call->argument[0], isolated != 0, failure) < 0) return -1;
  return answer(call, NULL, NULL);
}

int delete_link(const struct call *call, struct failure *failure) {
  if (netlink_check_name(call->argument[0], "link", failure) < 0) return -1;
  struct deletion *deletion = calloc(1, sizeof *deletion);
  if (!deletion) return fail(failure, "deleting the link %s", call->argument[0]);
  *deletion = (struct deletion){.tag = strdup(call->tag), .name = strdup(call->argument[0])};
  int error = deletion->tag && deletion->name ? enqueue(deletion) : ENOMEM;
  if (!error) return 0;
  free_deletion(deletion);
  errno = error;
  return fail(failure, "deleting the link %s", call->argument[0]);
}
