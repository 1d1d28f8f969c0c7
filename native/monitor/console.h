/* The console sockets of the OCI runtimes: a runtime connects and sends the master of the terminal it made. */
#pragma once

#include "wire/failure.h"

/* Listens on FOLDER/name (a name without a folder). The listening descriptor, or -1. */
int console_listen(const char *name, struct failure *failure);
/* After the runtime has ended well: the master, non-blocking, or -1. Closes the listener and removes its name either way. */
int console_take(int listener, const char *name, struct failure *failure);
/* Without taking anything. */
void console_close(int listener, const char *name);
