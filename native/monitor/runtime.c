#include "runtime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wire/wire.h"

static void add(struct worker_job *job, const char *argument) {
  size_t count = 0;
  while (job->argument[count]) count++;
  if (count >= WORKER_ARGUMENTS_MAX - 1) abort(); /* every call here has a fixed number of them */
  job->argument[count] = argument;
}

static void add_two(struct worker_job *job, const char *option, const char *value) {
  add(job, option);
  add(job, value);
}

/* The job's stdio is the caller's to set, and stays. */
static void begin(const struct runtime *runtime, const struct runtime_files *files, const char *command, struct worker_job *job) {
  memset(job->argument, 0, sizeof job->argument);
  add(job, runtime->binary);
  add_two(job, "--root", runtime->state);
  add_two(job, "--log", files->log);
  if (runtime->kind == RUNTIME_CRUN) {
    add(job, "--cgroup-manager=disabled");
    add_two(job, "--log-format", "text");
  } else {
    add(job, "--ignore-cgroups");
    add(job, "--network=sandbox");
  }
  add(job, command);
}

void runtime_create_job(const struct runtime *runtime, const char *folder, const struct runtime_files *files, struct worker_job *job) {
  begin(runtime, files, "create", job);
  add_two(job, "--bundle", folder);
  add_two(job, "--pid-file", files->pid);
  if (files->console) add_two(job, "--console-socket", files->console);
  add(job, runtime->id);
}

void runtime_exec_job(const struct runtime *runtime, const char *process, const struct runtime_files *files, struct worker_job *job) {
  begin(runtime, files, "exec", job);
  /* Detached: the command becomes the monitor's child, which reads its exit status first-hand, and no runtime stays in memory. */
  add(job, "--detach");
  add_two(job, "--process", process);
  add_two(job, "--pid-file", files->pid);
  if (files->console) {
    if (runtime->kind == RUNTIME_CRUN) add(job, "--tty");
    add_two(job, "--console-socket", files->console);
  }
  add(job, runtime->id);
}

void runtime_start_job(const struct runtime *runtime, const struct runtime_files *files, struct worker_job *job) {
  begin(runtime, files, "start", job);
  add(job, runtime->id);
}

void runtime_delete_job(const struct runtime *runtime, const struct runtime_files *files, struct worker_job *job) {
  begin(runtime, files, "delete", job);
  add(job, "--force");
  add(job, runtime->id);
}

int runtime_open_fifo(const struct runtime *runtime, struct failure *failure) {
  char path[PATH_MAX];
  if (snprintf(path, sizeof path, "%s/%s/exec.fifo", runtime->state, runtime->id) >= (int)sizeof path) {
    return fail_as(failure, ENAMETOOLONG, "start: the state folder's path is too long");
  }
  int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 && errno == ENXIO) return 1;
  if (fd < 0) return fail(failure, "open %s", path);
  int result = write(fd, "0", 1) == 1 ? 0 : fail(failure, "write to %s", path);
  close(fd);
  if (result == 0) unlink(path);
  return result;
}

/* gVisor logs an error as {"msg":"...","level":...}: the text between, with its \\" and \\\\ undone in place. */
static char *unquote(char *line) {
  static const char begin[] = "{\"msg\":\"";
  if (strncmp(line, begin, sizeof begin - 1)) return line;
  char *from = line + sizeof begin - 1, *to = line;
  while (*from && *from != '"') {
    if (*from == '\\' && from[1]) from++;
    *to++ = *from++;
  }
  *to = 0;
  return line;
}

/* The last line that a runtime wrote to its log, without gVisor's prefix (`I1123 10:19:27.6 1 main.go:1] `), or NULL. `text` is cut up. */
static char *last_line(char *text, size_t size) {
  while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == 0)) size--;
  text[size] = 0;
  char *line = strrchr(text, '\n');
  line = line ? line + 1 : text;
  char *bracket = strstr(line, "] ");
  if (strchr("IWEF", *line) && bracket && bracket - line < 80 && strstr(line, ".go:")) line = bracket + 2;
  line = unquote(line);
  return *line ? line : NULL;
}

int runtime_failure(const char *attempt, int status, const struct runtime_files *files, struct failure *failure) {
  char text[2048];
  int fd = open(files->log, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  ssize_t size = 0;
  if (fd >= 0) {
    lseek(fd, -(off_t)(sizeof text - 1), SEEK_END); /* fails, harmlessly, when it is shorter */
    size = read(fd, text, sizeof text - 1);
    close(fd);
  }
  unlink(files->log);
  char *line = size > 0 ? last_line(text, (size_t)size) : NULL;
  if (line) return fail_as(failure, EIO, "%s", line);
  if (WIFSIGNALED(status)) return fail_as(failure, EIO, "%s: the runtime was ended by signal %d", attempt, WTERMSIG(status));
  return fail_as(failure, EIO, "%s: the runtime ended with code %d and no message", attempt, WEXITSTATUS(status));
}

pid_t runtime_read_pid(const struct runtime_files *files, struct failure *failure) {
  char text[32];
  uint64_t pid;
  int fd = open(files->pid, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (size < 0) fail(failure, "read the runtime's pid file");
  if (fd >= 0) close(fd);
  unlink(files->pid);
  if (size < 0) return -1;
  text[size] = 0;
  text[strcspn(text, "\n")] = 0;
  return wire_number(text, "the runtime's pid file", 2, INT_MAX, &pid, failure) < 0 ? -1 : (pid_t)pid;
}

void runtime_forget(const struct runtime *runtime) {
  char path[PATH_MAX];
  if (snprintf(path, sizeof path, "%s/%s", runtime->state, runtime->id) >= (int)sizeof path) return;
  int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  DIR *list = folder < 0 ? NULL : fdopendir(folder);
  if (!list) return;
  for (struct dirent *entry; (entry = readdir(list));) {
    if (entry->d_type != DT_DIR) unlinkat(folder, entry->d_name, 0);
  }
  closedir(list);
  rmdir(path);
}
