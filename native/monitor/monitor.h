/* All of a monitor, in one place. Each part's own header says what it does; life.h says when. */
#pragma once

#include "container.h"
#include "control.h"
#include "deadline.h"
#include "exit.h"
#include "netns.h"
#include "output.h"

struct session;

enum phase { PHASE_SETUP, PHASE_CREATING, PHASE_CREATED, PHASE_STARTING, PHASE_RUNNING, PHASE_DRAINING, PHASE_EXITED, PHASE_FAILED };

struct monitor {
  char *folder; /* absolute; also the working directory */
  enum phase phase;
  unsigned steps; /* set-up operations done: STEP_... of operations.h */
  bool unbound;   /* started: lives on whoever comes or goes */
  bool over;      /* nothing is left to do */
  bool ended_early; /* gVisor: the first process ended before "runsc start" said that it runs */
  int early_status;
  int64_t started; /* wall ms; 0: not */
  struct exit_status exit;
  struct timer patience; /* until `bind`; after the end: until it stops waiting for `quit` */
  struct timer exit_retry;
  bool killed;   /* by request */
  bool quitting; /* `quit` was asked and waits for the end */
  struct timer quit;
  int64_t quit_by; /* monotonic ms: sessions are not waited for any longer */
  struct watch joining;
  struct child copying; /* into a volume; nothing else is under way then */
  struct loop loop;
  struct control control;
  struct network network;
  struct container container;
  struct deadline deadline;
  struct session *sessions;
  struct output output;
};
