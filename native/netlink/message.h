/* A batch of rtnetlink requests: built in one buffer, sent in one call, each acknowledged. Internal to this folder. */
#pragma once

#include <linux/rtnetlink.h>

#include "netlink.h"

#define BATCH_MESSAGES_MAX 4

struct batch {
  _Alignas(NLMSG_ALIGNTO) char buffer[2048];
  size_t size;
  struct nlmsghdr *last;
  const char *attempt[BATCH_MESSAGES_MAX]; /* what each does, for the failure's message */
  int tolerated[BATCH_MESSAGES_MAX];       /* an errno that counts as success; 0: none */
  size_t count;
};

/* Begins a request; `header` of `size` bytes is the family's own (ifinfomsg...). Buffers are large enough for this folder's requests: checked. */
void batch_begin(struct batch *batch, uint16_t type, uint16_t flags, const void *header, size_t size, const char *attempt, int tolerated);
void batch_attribute(struct batch *batch, uint16_t type, const void *data, size_t size);
/* Bytes that are no attribute: the header inside a nest. */
void batch_bytes(struct batch *batch, const void *data, size_t size);
void batch_string(struct batch *batch, uint16_t type, const char *text);
void batch_u32(struct batch *batch, uint16_t type, uint32_t value);
void batch_u8(struct batch *batch, uint16_t type, uint8_t value);
struct rtattr *batch_nest(struct batch *batch, uint16_t type);
void batch_end_nest(struct batch *batch, struct rtattr *nest);

/* Sends and waits for every acknowledgement. The first failure counts: `attempt NAME: strerror (the kernel's own message)`. */
int batch_commit(struct netlink *netlink, struct batch *batch, const char *name, struct failure *failure);

/* The index of a link, or -1. */
int link_index(struct netlink *netlink, const char *name, struct failure *failure);
