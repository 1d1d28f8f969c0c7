#include "tell.h"

#include "hashes.h"
#include "instances.h"
#include "json.h"
#include "output.h"
#include "syscalls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* A record's texts, found from their lengths. */
struct texts {
  const char *at[TEXTS];
  uint16_t length[TEXTS];
};

static struct texts texts_of(const struct event *event) {
  struct texts texts;
  const char *at = (const char *)(event + 1), *end = (const char *)event + event->length;
  for (int index = 0; index < TEXTS; index++) {
    size_t left = (size_t)(end - at);
    texts.at[index] = at;
    texts.length[index] = event->text[index] < left ? event->text[index] : (uint16_t)left;
    at += texts.length[index];
  }
  return texts;
}

static void text(struct json *json, const char *key, const struct texts *texts, enum text which) {
  if (texts->length[which]) json_text(json, key, texts->at[which], texts->length[which]);
}

static const char *const flag_names[] = {"upper", "memfd", "denied", "would_deny", "truncated", "sensitive", "write", "compat", "unread", "user"};

static void tell_flags(struct json *json, uint16_t flags) {
  if (!(flags & ~ENDS_NAMESPACE)) return;
  json_open(json, "flags", '[');
  for (unsigned bit = 0; bit < sizeof flag_names / sizeof *flag_names; bit++)
    if (flags & 1u << bit) json_element_text(json, flag_names[bit], strlen(flag_names[bit]));
  json_close(json, ']');
}

/* Arguments as the process's memory holds them: each ended by NUL. One that is cut off has no end. */
static void tell_arguments(struct json *json, const char *at, uint16_t length) {
  const char *end = at + length;
  json_open(json, "args", '[');
  while (at < end) {
    size_t size = strnlen(at, (size_t)(end - at));
    json_element_text(json, at, size);
    at += size + 1;
  }
  json_close(json, ']');
}

static void tell_exec(struct json *json, const struct event *event, const struct texts *texts) {
  const struct exec_facts *exec = &event->exec;
  char sha256[HASH_TEXT];
  text(json, "path", texts, TEXT_PATH);
  text(json, "exe", texts, TEXT_TARGET);
  text(json, "cwd", texts, TEXT_DIRECTORY);
  tell_arguments(json, texts->at[TEXT_DETAIL], texts->length[TEXT_DETAIL]);
  json_unsigned(json, "argsLength", exec->arguments_length);
  json_unsigned(json, "argsCount", exec->arguments_count);
  json_unsigned(json, "inode", exec->inode);
  if (hash_of_exec(event, instance_root(event->cookie), texts->at[TEXT_TARGET], texts->length[TEXT_TARGET], sha256)) json_text(json, "sha256", sha256, HASH_TEXT);
  json_unsigned(json, "tty", exec->tty);
  json_unsigned(json, "session", exec->session);
  json_unsigned(json, "group", exec->group);
}

static const char *family_name(uint16_t family) {
  switch (family) {
    case AF_INET:
      return "inet";
    case AF_INET6:
      return "inet6";
    case AF_UNIX:
      return "unix";
    case AF_NETLINK:
      return "netlink";
    case AF_PACKET:
      return "packet";
    case AF_VSOCK:
      return "vsock";
    default:
      return "other";
  }
}

static void tell_address(struct json *json, const char *key, int family, const uint8_t *address) {
  char printed[INET6_ADDRSTRLEN];
  if (inet_ntop(family, address, printed, sizeof printed)) json_string(json, key, printed);
}

/* Names of unix sockets: of files up to their NUL, abstract ones whole, with `@` for the NUL that they begin with. */
static void tell_unix(struct json *json, const char *key, const struct texts *texts, enum text which) {
  char name[PATH_ROOM];
  size_t length = texts->length[which];
  if (length == 0 || length > sizeof name) return;
  memcpy(name, texts->at[which], length);
  if (name[0])
    length = strnlen(name, length);
  else
    name[0] = '@';
  json_text(json, key, name, length);
}

static bool is_mapped(const uint8_t address[16]) {
  static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
  return memcmp(address, prefix, sizeof prefix) == 0;
}

/* What goes over IPv4 is told as such, also when the program uses an IPv6 socket for it. */
static void tell_socket(struct json *json, const struct event *event, const struct texts *texts) {
  const struct socket_facts *socket = &event->socket;
  bool mapped = socket->family == AF_INET6 && is_mapped(socket->remote);
  uint16_t family = mapped ? AF_INET : socket->family;
  json_open(json, "socket", '{');
  json_string(json, "family", family_name(family));
  json_unsigned(json, "protocol", socket->protocol);
  if (family == AF_INET || family == AF_INET6) {
    tell_address(json, "localAddress", family, socket->local + (mapped && is_mapped(socket->local) ? 12 : 0));
    json_unsigned(json, "localPort", socket->local_port);
    if (socket->remote_port || event->type == EVENT_sendto) {
      tell_address(json, "remoteAddress", family, socket->remote + (mapped ? 12 : 0));
      json_unsigned(json, "remotePort", socket->remote_port);
    }
  }
  tell_unix(json, "localAddress", texts, TEXT_PATH);
  tell_unix(json, "remoteAddress", texts, TEXT_TARGET);
  json_close(json, '}');
}

static void tell_target(struct json *json, const struct event *event) {
  if (event->target.pid) json_unsigned(json, "targetPid", event->target.pid);
  if (event->target.cookie) json_unsigned(json, "targetCookie", event->target.cookie);
}

static void tell_numbers(struct json *json, const struct event *event) {
  if (!event->numbers) return;
  json_open(json, "numbers", '[');
  for (int index = 0; index < ARGUMENTS; index++)
    if (event->numbers & 1 << index) json_element_signed(json, (int32_t)event->arguments[index]);
  json_close(json, ']');
}

static const char *operation_name(uint64_t operation) {
  static const char *const operations[] = {
      [9] = "sendmsg",  [26] = "send",      [47] = "send_zc", [48] = "sendmsg_zc", [13] = "accept",  [16] = "connect",   [18] = "openat", [28] = "openat2", [35] = "renameat", [36] = "unlinkat",
      [37] = "mkdirat", [38] = "symlinkat", [39] = "linkat", [45] = "socket",  [56] = "bind",     [57] = "listen",
  };
  return operation < sizeof operations / sizeof *operations ? operations[operation] : NULL;
}

static void tell_paths(struct json *json, const struct texts *texts) {
  text(json, "path", texts, TEXT_PATH);
  text(json, "target", texts, TEXT_TARGET);
  text(json, "detail", texts, TEXT_DETAIL);
  text(json, "directory", texts, texts->length[TEXT_DIRECTORY] ? TEXT_DIRECTORY : TEXT_TARGET_DIRECTORY);
}

/* Two relative paths that start in different folders: there is one field for a folder, so the target is told whole. */
static void join_target(struct texts *texts, char joined[2 * PATH_ROOM]) {
  size_t folder = texts->length[TEXT_TARGET_DIRECTORY], name = texts->length[TEXT_TARGET];
  if (!folder || !name || !texts->length[TEXT_DIRECTORY] || folder + 1 + name > 2 * PATH_ROOM) return;
  if (folder == texts->length[TEXT_DIRECTORY] && memcmp(texts->at[TEXT_DIRECTORY], texts->at[TEXT_TARGET_DIRECTORY], folder) == 0) return;
  memcpy(joined, texts->at[TEXT_TARGET_DIRECTORY], folder);
  joined[folder] = '/';
  memcpy(joined + folder + 1, texts->at[TEXT_TARGET], name);
  texts->at[TEXT_TARGET] = joined;
  texts->length[TEXT_TARGET] = (uint16_t)(folder + 1 + name);
}

static void tell_kind(struct json *json, const struct event *event, struct texts *texts) {
  char joined[2 * PATH_ROOM], capabilities[17];
  switch (event->type) {
    case EVENT_exec:
      tell_exec(json, event, texts);
      break;
    case EVENT_fork:
      json_unsigned(json, "child", event->fork.child);
      json_unsigned(json, "childVpid", event->fork.child_vpid);
      json_unsigned(json, "childStart", event->fork.start / 1000);
      break;
    case EVENT_exit:
      break;
    case EVENT_open:
      text(json, "path", texts, TEXT_PATH);
      text(json, "directory", texts, TEXT_DIRECTORY);
      json_unsigned(json, "openFlags", event->open.flags);
      if (event->open.mode) json_unsigned(json, "mode", event->open.mode);
      if (event->result >= 0 && event->syscall) json_signed(json, "fd", event->result);
      break;
    case EVENT_connect:
    case EVENT_bind:
    case EVENT_listen:
    case EVENT_accept:
    case EVENT_sendto:
    case EVENT_dup:
      /* A connection that was seen beginning is not known by its descriptor. */
      if ((int32_t)event->arguments[0] >= 0) json_signed(json, "fd", (int32_t)event->arguments[0]);
      tell_socket(json, event, texts);
      break;
    case EVENT_capset:
      snprintf(capabilities, sizeof capabilities, "%016llx", (unsigned long long)event->value);
      json_string(json, "capabilities", capabilities);
      break;
    case EVENT_kill:
    case EVENT_ptrace:
    case EVENT_process_vm_writev:
    case EVENT_process_vm_readv:
    case EVENT_pidfd_getfd:
      tell_target(json, event);
      break;
    case EVENT_io_uring:
      text(json, "path", texts, TEXT_PATH);
      if (operation_name(event->value)) json_string(json, "detail", operation_name(event->value));
      json_open(json, "numbers", '[');
      json_element_signed(json, (int64_t)event->value);
      json_close(json, ']');
      break;
    case EVENT_chmod:
    case EVENT_mkdir:
      json_unsigned(json, "mode", event->value & 07777);
      tell_paths(json, texts);
      break;
    case EVENT_mknod:
      json_unsigned(json, "mode", event->value & 0177777);
      tell_paths(json, texts);
      break;
    case EVENT_truncate:
      if (!(event->flags & IS_COMPAT)) json_unsigned(json, "size", event->value); /* 32-bit ones have it in two parts */
      tell_paths(json, texts);
      break;
    case EVENT_mount:
    case EVENT_umount:
      json_unsigned(json, "mountFlags", event->value & UINT32_MAX);
      /* fall through */
    default:
      join_target(texts, joined);
      tell_paths(json, texts);
  }
  tell_numbers(json, event);
}

void tell_event(const struct event *event, uint64_t count) {
  struct texts texts = texts_of(event);
  const bool compat = event->flags & IS_COMPAT;
  const char *type = event_name(event->type), *call = event->syscall ? syscall_name(event->syscall, compat) : NULL;
  if (!type) return;
  if (event->type == EVENT_open && !event->syscall) call = "io_uring";
  struct json json = json_begin(output_memory(), LINE_ROOM);
  json_string(&json, "type", type);
  json_unsigned(&json, "boot", event->boot / 1000);
  json_unsigned(&json, "cookie", event->cookie);
  json_unsigned(&json, "pid", event->pid);
  json_unsigned(&json, "tid", event->tid);
  json_unsigned(&json, "vpid", event->vpid);
  json_unsigned(&json, "start", event->start / 1000);
  json_unsigned(&json, "parentPid", event->parent_pid);
  json_unsigned(&json, "parentStart", event->parent_start / 1000);
  json_unsigned(&json, "parentVpid", event->parent_vpid);
  json_unsigned(&json, "uid", event->uid);
  json_unsigned(&json, "euid", event->euid);
  json_unsigned(&json, "gid", event->gid);
  json_text(&json, "name", event->name, strnlen(event->name, COMM));
  json_text(&json, "parentName", event->parent_name, strnlen(event->parent_name, COMM));
  if (call) json_string(&json, "syscall", call);
  json_signed(&json, "result", event->result);
  tell_flags(&json, event->flags);
  if (count > 1) json_unsigned(&json, "count", count);
  tell_kind(&json, event, &texts);
  output_line(json.begin, json_end(&json));
}

void tell_hash(uint64_t cookie, uint32_t pid, uint64_t start, uint64_t inode, const char *sha256) {
  struct json json = json_begin(output_memory(), LINE_ROOM);
  json_string(&json, "type", "hash");
  json_unsigned(&json, "cookie", cookie);
  json_unsigned(&json, "pid", pid);
  json_unsigned(&json, "start", start / 1000);
  json_unsigned(&json, "inode", inode);
  json_text(&json, "sha256", sha256, HASH_TEXT);
  output_line(json.begin, json_end(&json));
}
