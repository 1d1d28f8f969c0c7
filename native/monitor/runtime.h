/* How the OCI runtimes are called, and what they leave behind. Names without a folder are in FOLDER, the working directory. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "worker.h"

enum runtime_kind { RUNTIME_CRUN, RUNTIME_RUNSC };

struct runtime {
  enum runtime_kind kind;
  char *binary;
  char *state; /* its --root */
  char *id;
  bool tty;
};

/* The files of one call. `console` is NULL without a terminal. */
struct runtime_files {
  const char *log, *pid, *console;
};

void runtime_create_job(const struct runtime *runtime, const char *folder, const struct runtime_files *files, struct worker_job *job);
void runtime_exec_job(const struct runtime *runtime, const char *process, const struct runtime_files *files, struct worker_job *job);
/* runsc only: crun is started by its fifo. */
void runtime_start_job(const struct runtime *runtime, const struct runtime_files *files, struct worker_job *job);
void runtime_delete_job(const struct runtime *runtime, const struct runtime_files *files, struct worker_job *job);

/* crun: lets the created container run. 0: it runs; 1: its fifo has no reader yet; -1: failed. */
int runtime_open_fifo(const struct runtime *runtime, struct failure *failure);

/* Always -1: the failure of a call, in the runtime's own words where it left any. Removes the log. */
int runtime_failure(const char *attempt, int status, const struct runtime_files *files, struct failure *failure);
/* The pid that the runtime wrote, or -1. Removes the file. */
pid_t runtime_read_pid(const struct runtime_files *files, struct failure *failure);
/* Removes what crun keeps of a container. */
void runtime_forget(const struct runtime *runtime);
