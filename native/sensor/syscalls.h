/* Which system calls are told, and how each is read. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event.h"

/* Fills both tables of rules, [0] 64-bit and [1] 32-bit, and what each call of socketcall(2) stands for. */
void syscalls_fill(struct rule rules[2][SYSCALLS], uint16_t socketcalls[32]);
/* Name of the system call with that number; NULL for one that is not told. */
const char *syscall_name(unsigned number, bool compat);
