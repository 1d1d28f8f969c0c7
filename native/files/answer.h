/*
 * What dayfly-files says on its standard output: frames of wire.h, the first field a word. native/PROTOCOL.md lists them. Where nobody reads any more, it ends.
 */
#pragma once

#include <stddef.h>
#include <sys/stat.h>

#include "wire/failure.h"

void answer_entry(const char *path, const struct stat *about, const char *link);
/* At most WIRE_PAYLOAD_MAX - 8 bytes. */
void answer_data(const void *bytes, size_t size);
/* A word and up to two more fields, ended by NULL. */
void answer(const char *word, ...) __attribute__((sentinel));
void answer_number(const char *word, unsigned long long number);
_Noreturn void answer_failure(const struct failure *failure);
/* Sends what waits. */
void answer_flush(void);
