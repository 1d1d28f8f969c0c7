/* SHA-256 of programs, each file once. Read by a thread of its own, so that events never wait for a disk. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event.h"

enum { HASH_TEXT = 64 };

/* Called on the main thread, from hashes_tell, once for each exec that hash_of_exec gave none. */
typedef void (*hash_tell)(uint64_t cookie, uint32_t pid, uint64_t start, uint64_t inode, const char sha256[HASH_TEXT]);

void hashes_open(hash_tell tell);
/*
 * The hash of the program of an exec, when it is known. If not, it is held at once, while its process lives, or found below `root` (may be NULL) when that is over,
 * and told of later; never, if neither is there any more, if it has changed meanwhile, if it is larger than 64 MiB or where reading it could wait for somebody, or if this
 * instance has had more hashed than its share.
 */
bool hash_of_exec(const struct event *exec, const char *root, const char *path, uint32_t path_length, char sha256[HASH_TEXT]);
