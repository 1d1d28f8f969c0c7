// What is written, told to whoever reads fd 3 while it is written: a frame for each entry, see PROTOCOL.md. A reader that is gone, or takes nothing for
// a while, is not told any more: the layer is unpacked all the same.
#pragma once

#include "tar.h"

#include <sys/types.h>

enum { REPORT_DESCRIPTOR = 3 };

// `keywords`: the list's file. Before the sandbox is entered. Without it nothing is reported.
void report_open(const char *keywords);
// Content of the file that is being written, from its beginning; `hole` says where the next bytes stand in a sparse one.
void report_begin(void);
void report_bytes(const unsigned char *bytes, size_t size);
void report_hole(uint64_t offset);
// It is written. `type`: 'f' file, 'h' hard link, 'd' folder, 'l' symbolic link, 'p' fifo.
void report_entry(char type, const char *clean, mode_t mode, uid_t uid, gid_t gid, uint64_t size);
// `type`: 'w' a whiteout of `clean`, 'o' the folder `clean` is opaque.
void report_mark(char type, const char *clean);
// Everything was written.
void report_end(uint64_t bytes, uint64_t entries);
