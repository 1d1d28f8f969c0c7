/*
 * How every fallible function here tells what went wrong: it returns -1 and fills a failure. The message says what was attempted and on
 * what; it is what a person finally reads, so it never contains the content of a secret.
 */
#pragma once

struct failure {
  int error; /* an errno value */
  char message[512];
};

/* The system call before failed: keeps errno and appends its strerror to the message. Returns -1. */
__attribute__((format(printf, 2, 3))) int fail(struct failure *failure, const char *format, ...);

/* The same with an error found by other means; nothing is appended. Returns -1. */
__attribute__((format(printf, 3, 4))) int fail_as(struct failure *failure, int error, const char *format, ...);
