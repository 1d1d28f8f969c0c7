// Every file-system call on the layer. A path is split into its parent and one last component; the parent is opened beneath the layer's folder
// with no symbolic link on the way (openat2, or component by component where the kernel lacks it), and the call is made with the last component
// relative to that descriptor, never following it. So nothing outside the folder can be reached, whatever the archive says.
#pragma once

#include "tar.h"

#include <sys/stat.h>

struct place {
  int parent;       // descriptor of the parent folder; owned by the tree, valid until the next call with another path
  const char *name; // last component; "." is the layer's folder itself
};

// `folder`: a descriptor of the layer's folder, which is also this process's root by now.
void tree_open(int folder);
// Makes `path` plain into `clean` (no "./", no doubled or trailing slash; "" is the layer's folder). Absolute paths and ".." are refused.
void tree_clean(char clean[PATH_ROOM], const char *path, const char *what, const char *entry);
// `clean` from tree_clean. Missing parents are made, 0755 root, when `make`.
struct place tree_place(const char *clean, bool make, const char *entry);
// The same without making or failing: false when its parent is no longer there.
bool tree_try_place(const char *clean, struct place *place);
// What is there, without following; false when nothing is.
bool tree_stat(struct place place, struct stat *status, const char *entry);
// Removes whatever is there, a folder with all it holds.
void tree_remove(struct place place, const char *entry);
