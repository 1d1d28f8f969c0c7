/* Extended attributes, which Node cannot read. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "operations.h"
#include "wire/wire.h"

/* Of one of the parent's descriptors: by no name, so that nothing can be put in its place. */
int read_xattr(const struct call *call, struct failure *failure) {
  uint64_t descriptor;
  if (wire_number(call->argument[0], "descriptor", 0, INT_MAX, &descriptor, failure) < 0) return -1;
  const char *name = call->argument[1];
  char path[64], value[256];
  snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getppid(), (int)descriptor);
  ssize_t length = getxattr(path, name, value, sizeof value - 1);
  if (length < 0) return fail(failure, "reading %.100s of the descriptor %d", name, (int)descriptor);
  if (memchr(value, 0, (size_t)length) != NULL) return fail_as(failure, EILSEQ, "%.100s of the descriptor %d is no text", name, (int)descriptor);
  value[length] = 0;
  return answer(call, value, NULL);
}
