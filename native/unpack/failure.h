// How the unpacker gives up: one line on fd 2 that names the entry, and an exit status that says whose fault it is.
#pragma once

enum {
  EXIT_ARCHIVE = 1, // the archive is not what it claims to be, or is hostile
  EXIT_HOST = 2,    // the disk is full, the kernel refuses, the arguments are wrong
};

// `entry` may be NULL or empty. Its name is quoted and cut: it is input.
_Noreturn void fail_archive(const char *entry, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void fail_host(const char *format, ...) __attribute__((format(printf, 1, 2)));
// By errno: what an archive can provoke (a name too long, a parent that is a file) is the archive's fault, the rest is the host's.
_Noreturn void fail_errno(const char *entry, const char *attempted);
