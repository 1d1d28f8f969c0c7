/* dayfly-sensor: PROTOCOL.md. One thread for everything but reading programs to hash them (hashes.c) and answering those who execute scripts (scripts.c). */
#include "commands.h"
#include "events.h"
#include "failure.h"
#include "instances.h"
#include "loop.h"
#include "output.h"
#include "patterns.h"
#include "probes.h"
#include "scripts.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
  MIB = 1 << 20,
  POLL_MS = 1,   /* while there is something to see: cheaper than being woken for each event, and soon enough */
  IDLE_MS = 50,  /* without anything to see, until the kernel is asked to wake us */
  TICK_MS = 100, /* while something waits for its time */
};

struct options {
  struct probes_options probes;
  uint64_t queue;
};

static uint64_t size_of(const char *text, const char *option, uint64_t least, uint64_t most) {
  char *end;
  errno = 0;
  uint64_t value = strtoull(text, &end, 10);
  if (errno || *end || end == text || value < least || value > most)
    fail("usage", "%s %s: give bytes from %llu to %llu", option, text, (unsigned long long)least, (unsigned long long)most);
  return value;
}

static struct options read_options(int count, char **words) {
  static const struct option known[] = {
      {"ring", required_argument, NULL, 'r'},    {"queue", required_argument, NULL, 'q'}, {"cgroup", required_argument, NULL, 'c'},
      {"without", required_argument, NULL, 'w'}, {NULL, 0, NULL, 0},
  };
  struct options options = {.probes = {.ring_size = 16 * MIB}, .queue = 64 * MIB};
  int option;
  opterr = 0;
  while ((option = getopt_long(count, words, "", known, NULL)) != -1) switch (option) {
      case 'r':
        options.probes.ring_size = size_of(optarg, "--ring", 64 << 10, 1 << 30);
        if (options.probes.ring_size & (options.probes.ring_size - 1)) fail("usage", "--ring %s: give a power of two", optarg);
        break;
      case 'q':
        options.queue = size_of(optarg, "--queue", MIB, 4096ULL * MIB);
        break;
      case 'c':
        options.probes.cgroup = optarg;
        break;
      case 'w':
        options.probes.without = optarg;
        break;
      default:
        fail("usage", "unknown option %s", words[optind - 1]);
    }
  if (optind < count) fail("usage", "unknown word %s", words[optind]);
  return options;
}

/* One turn: how long to wait follows from what there was the last time. */
static void turn(int64_t *active_at) {
  int64_t now = now_ms();
  if (output_is_full()) {
    loop_turn(TICK_MS); /* until the reader takes some, or a command comes */
  } else if (now - *active_at < IDLE_MS) {
    loop_turn(POLL_MS);
  } else {
    events_sleep(true);
    /* What came before the kernel knew that we sleep has woken nobody. */
    if (!events_read()) loop_turn(events_are_quiet() && output_is_empty() ? -1 : TICK_MS);
    events_sleep(false);
  }
  commands_run();
  if (events_read()) *active_at = now_ms();
  events_tick();
  output_flush();
}

/* Each instance may hold a descriptor. */
static void want_descriptors(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit)) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int count, char **words) {
  signal(SIGPIPE, SIG_IGN);
  want_descriptors();
  loop_open();
  output_open();
  struct options options = read_options(count, words);
  output_set_limit(options.queue);
  struct probes probes = probes_load(&options.probes);
  instances_open(probes.instances, probes.namespaces, probes.members, probes.change_flags);
  patterns_open(probes.paths, probes.name_filter, probes.every_name, probes.has_patterns);
  events_open(probes.ring, probes.lost, probes.loader_sleeps);
  const char *scripts = probes.scripts ? scripts_open(probes.look_at_program, probes.judged) : NULL;
  probes_attach(scripts);
  commands_open(&probes);
  int64_t active_at = now_ms();
  while (!commands_have_ended()) turn(&active_at);
  output_finish();
  return 0;
}
