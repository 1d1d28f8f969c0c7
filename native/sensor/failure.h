/* The end of the program before it sees anything: one `failed` line, PROTOCOL.md. */
#pragma once

_Noreturn void fail(const char *reason, const char *format, ...) __attribute__((format(printf, 2, 3)));
