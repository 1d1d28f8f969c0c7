// Entries onto the disk.
#pragma once

#include "tar.h"

struct write_options {
  bool layer;             // whiteouts mean something; false: a root file system, in which `.wh.` is part of a name
  uint64_t maximum_bytes; // of one sparse file's real size
};

struct written {
  uint64_t bytes;   // of file content
  uint64_t entries; // as in the archive
  uint64_t ignored; // devices, sockets, xattrs that the file system does not know
};

extern struct written written;

// Writes it, reading its data from the source. Prints `opaque NAME` on fd 1 for a folder that hides those of the layers below.
void write_entry(const struct entry *entry, const struct write_options *options);
// The times of folders, which writing into them has changed.
void write_folder_times(void);
