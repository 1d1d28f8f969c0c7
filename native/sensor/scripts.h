/*
 * Scripts that are not the image's: whoever executes one waits for an answer (fanotify's FAN_OPEN_EXEC_PERM). A thread of its own answers; another one sees to it that it
 * does not take too long. When this program ends, the kernel lets all go on that wait.
 */
#pragma once

/* `look_at_program`: a program's descriptor, `judged`: a map's. Why it cannot be had here, or NULL when it can. */
const char *scripts_open(int look_at_program, int judged);
/*
 * From now on asks for all that is executed from the overlays and tmpfs that a process sees; a mark goes with its file system. `process`: folder of the process in /proc, or
 * -1 where that is not known. 0 or an errno.
 */
int scripts_watch(int process);
