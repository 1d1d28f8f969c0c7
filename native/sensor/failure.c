#include "failure.h"

#include "json.h"
#include "output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void fail(const char *reason, const char *format, ...) {
  char message[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  struct json json = json_begin(output_memory(), LINE_ROOM);
  json_string(&json, "type", "failed");
  json_string(&json, "reason", reason);
  json_string(&json, "message", message);
  output_answer(json.begin, json_end(&json));
  output_finish();
  fprintf(stderr, "dayfly-sensor: %s\n", message);
  exit(1);
}
