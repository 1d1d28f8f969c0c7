#include "failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fail(struct failure *failure, const char *format, ...) {
  failure->error = errno;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(failure->message, sizeof failure->message, format, arguments);
  va_end(arguments);
  size_t used = strlen(failure->message);
  snprintf(failure->message + used, sizeof failure->message - used, ": %s", strerror(failure->error));
  return -1;
}

int fail_as(struct failure *failure, int error, const char *format, ...) {
  failure->error = error;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(failure->message, sizeof failure->message, format, arguments);
  va_end(arguments);
  return -1;
}
