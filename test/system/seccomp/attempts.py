"""Runs inside a container: tries what a seccomp profile is to refuse and prints one JSON object, attempt -> "ok" or the errno's name."""
import array
import ctypes
import errno
import fcntl
import json
import mmap
import os
import platform
import pty
import socket
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
results = {}


def attempt(name, call):
    """Each in a process of its own: one that succeeds must not change the next."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            call()
            outcome = "ok"
        except OSError as error:
            outcome = errno.errorcode.get(error.errno, str(error.errno))
        os.write(write, outcome.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        outcome = pipe.read()
    _, status = os.waitpid(pid, 0)
    results[name] = outcome or f"status {status}"


def syscall(number, *args):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args])
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


def terminal_ioctl(request):
    _, terminal = pty.openpty()
    syscall(16, terminal, request, ctypes.c_char_p(b"x"))


def socketcall_32_bit():
    """socketcall(SYS_SOCKET, {AF_ALG, SOCK_SEQPACKET, 0}) by int 0x80, whose pointers have 32 bits."""
    libc.mmap.restype = ctypes.c_void_p
    map_32_bit = 0x40
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | map_32_bit
    page = libc.mmap(None, ctypes.c_size_t(4096), mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC, flags, -1, 0)
    arguments = page + 2048
    ctypes.memmove(arguments, struct.pack("III", 38, socket.SOCK_SEQPACKET, 0), 12)
    # push rbx; mov eax, 102; mov ebx, 1; mov ecx, arguments; int 0x80; pop rbx; ret
    code = b"\x53\xb8\x66\x00\x00\x00\xbb\x01\x00\x00\x00\xb9" + struct.pack("I", arguments) + b"\xcd\x80\x5b\xc3"
    ctypes.memmove(page, code, len(code))
    result = ctypes.CFUNCTYPE(ctypes.c_int)(page)()
    if result < 0:
        raise OSError(-result, "")


attempt("unshare user namespace", lambda: syscall(272, 0x10000000))
attempt("unshare time namespace", lambda: syscall(272, 0x80))
attempt("unshare files", lambda: syscall(272, 0x400))
attempt("clone with a network namespace", lambda: syscall(56, 0x40000011, 0, 0, 0, 0) or os._exit(0))
attempt("clone3", lambda: syscall(435, ctypes.create_string_buffer(88), 88) or os._exit(0))
attempt("mount", lambda: syscall(165, ctypes.c_char_p(b"none"), ctypes.c_char_p(b"/tmp"), ctypes.c_char_p(b"tmpfs"), 0, 0))
attempt("fsopen", lambda: syscall(430, ctypes.c_char_p(b"tmpfs"), 0))
attempt("setns", lambda: syscall(308, os.open("/proc/self/ns/uts", os.O_RDONLY), 0))
attempt("bpf", lambda: syscall(321, 0, ctypes.create_string_buffer(struct.pack("IIII", 2, 4, 8, 1) + bytes(112)), 128))
attempt("keyctl", lambda: syscall(250, 0, -3, 1))
attempt("add_key", lambda: syscall(248, ctypes.c_char_p(b"user"), ctypes.c_char_p(b"k"), ctypes.c_char_p(b"v"), 1, -2))
attempt("perf_event_open", lambda: syscall(298, ctypes.create_string_buffer(struct.pack("II", 1, 128) + bytes(120)), 0, -1, -1, 0))
attempt("userfaultfd", lambda: syscall(323, 0))
attempt("io_uring_setup", lambda: syscall(425, 1, ctypes.create_string_buffer(120)))
attempt("open_by_handle_at", lambda: syscall(304, -100, ctypes.create_string_buffer(struct.pack("Ii", 8, 1) + bytes(8)), 0))
attempt("sethostname", lambda: syscall(170, ctypes.c_char_p(b"other"), 5))
attempt("AF_ALG", lambda: socket.socket(38, socket.SOCK_SEQPACKET))
attempt("AF_PACKET", lambda: socket.socket(17, socket.SOCK_RAW))
attempt("AF_VSOCK", lambda: socket.socket(40, socket.SOCK_STREAM))
attempt("AF_INET by its low half", lambda: syscall(41, 0x100000002, 1, 0))
attempt("audit", lambda: socket.socket(16, socket.SOCK_RAW, 9))
attempt("socketcall by a 32-bit call", socketcall_32_bit)
attempt("TIOCSTI", lambda: terminal_ioctl(0x5412))
attempt("TIOCSTI with rubbish above", lambda: terminal_ioctl(0x7700005412))
attempt("TIOCSETD", lambda: fcntl.ioctl(pty.openpty()[1], 0x5423, array.array("i", [0])))
attempt("personality without randomisation", lambda: syscall(135, 0x0040000))
attempt("a call of the future", lambda: syscall(9999))

attempt("AF_INET", lambda: socket.socket())
attempt("AF_UNIX", lambda: socket.socketpair())
attempt("netlink", lambda: socket.socket(16, socket.SOCK_RAW, 0))
attempt("terminal size", lambda: fcntl.ioctl(pty.openpty()[1], 0x5413, bytes(8)))
attempt("personality", lambda: syscall(135, 0xFFFFFFFF))
attempt("fork", lambda: os.waitpid(os.fork() or os._exit(0), 0))
attempt("memfd", lambda: os.memfd_create("x"))

assert platform.machine() == "x86_64"
json.dump(results, sys.stdout)
