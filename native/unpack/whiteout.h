// OCI's whiteouts (`.wh.NAME`, `.wh..wh..opq`) in the form that overlayfs reads: a character device 0:0, and an xattr on the folder.
#pragma once

#include "tar.h"

#include <sys/stat.h>

// True when the entry is a whiteout (or another of aufs's marks), which is then done. `clean`: its plain path.
bool whiteout_write(const struct entry *entry, const char *clean);
bool whiteout_is(const struct stat *status);
// The folder hides that of the layers below. Prints `opaque NAME`.
void whiteout_hide(int folder, const char *clean, const char *entry);
