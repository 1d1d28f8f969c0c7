#include "failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN = 300 };

// Printable ASCII and UTF-8 stay; what could steer a terminal or break the line is escaped.
static void quote(char *out, size_t room, const char *name) {
  size_t used = 0;
  out[used++] = '"';
  for (const unsigned char *byte = (const unsigned char *)name; *byte; byte++) {
    if (used > SHOWN) {
      used += (size_t)snprintf(out + used, room - used, "...");
      break;
    }
    bool plain = *byte >= 0x20 && *byte != 0x7f && *byte != '"' && *byte != '\\' && !(*byte == 0xc2 && byte[1] >= 0x80 && byte[1] < 0xa0);
    if (plain) out[used++] = (char)*byte;
    else used += (size_t)snprintf(out + used, room - used, "\\x%02x", *byte);
  }
  out[used++] = '"';
  out[used] = 0;
}

static _Noreturn void end(int status, const char *entry, const char *format, va_list arguments) {
  char line[2048];
  size_t used = 0;
  if (entry && *entry) {
    char name[SHOWN + 32];
    quote(name, sizeof name, entry);
    used = (size_t)snprintf(line, sizeof line, "entry %s: ", name);
  }
  int more = vsnprintf(line + used, sizeof line - used - 1, format, arguments);
  if (more > 0) used += (size_t)more < sizeof line - used - 1 ? (size_t)more : sizeof line - used - 2;
  line[used++] = '\n';
  ssize_t written = write(STDERR_FILENO, line, used);
  (void)written;
  _exit(status);
}

void fail_archive(const char *entry, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  end(EXIT_ARCHIVE, entry, format, arguments);
}

void fail_host(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  end(EXIT_HOST, NULL, format, arguments);
}

static _Noreturn void end_with(int status, const char *entry, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  end(status, entry, format, arguments);
}

void fail_errno(const char *entry, const char *attempted) {
  int error = errno;
  switch (error) {
  case ELOOP:
    end_with(EXIT_ARCHIVE, entry, "cannot %s: its parent or target is a symbolic link", attempted);
  case ENOTDIR:
    end_with(EXIT_ARCHIVE, entry, "cannot %s: its parent is not a folder", attempted);
  case EXDEV: // openat2 with RESOLVE_BENEATH
    end_with(EXIT_ARCHIVE, entry, "cannot %s: its name leaves the layer", attempted);
  case ENAMETOOLONG:
  case EISDIR:
  case EEXIST:
  case ENOENT:
  case EFBIG:
  case EINVAL:
  case ERANGE:
  case E2BIG:
  case EMLINK:
    end_with(EXIT_ARCHIVE, entry, "cannot %s: %s", attempted, strerror(error));
  default:
    end_with(EXIT_HOST, entry, "cannot %s: %s", attempted, strerror(error));
  }
}
