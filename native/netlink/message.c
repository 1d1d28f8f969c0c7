#include "message.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int netlink_open(struct netlink *netlink, struct failure *failure) {
  *netlink = (struct netlink){.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)};
  if (netlink->fd < 0) return fail(failure, "open a netlink socket");
  int on = 1; /* both only make answers smaller and messages better: their failure is no failure */
  setsockopt(netlink->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(netlink->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  return 0;
}

static void *reserve(struct batch *batch, size_t size) {
  size_t aligned = NLMSG_ALIGN(size);
  if (batch->size + aligned > sizeof batch->buffer) abort(); /* every request here has a fixed, small shape */
  void *place = memset(batch->buffer + batch->size, 0, aligned);
  batch->size += aligned;
  if (batch->last) batch->last->nlmsg_len = (uint32_t)(batch->buffer + batch->size - (char *)batch->last);
  return place;
}

void batch_begin(struct batch *batch, uint16_t type, uint16_t flags, const void *header, size_t size, const char *attempt, int tolerated) {
  if (batch->count == BATCH_MESSAGES_MAX) abort();
  batch->attempt[batch->count] = attempt;
  batch->tolerated[batch->count++] = tolerated;
  batch->last = NULL;
  batch->last = reserve(batch, NLMSG_HDRLEN);
  batch->last->nlmsg_type = type;
  batch->last->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
  memcpy(reserve(batch, size), header, size);
}

void batch_attribute(struct batch *batch, uint16_t type, const void *data, size_t size) {
  struct rtattr *attribute = reserve(batch, RTA_LENGTH(size));
  attribute->rta_type = type;
  attribute->rta_len = (unsigned short)RTA_LENGTH(size);
  if (size) memcpy(RTA_DATA(attribute), data, size);
}

void batch_bytes(struct batch *batch, const void *data, size_t size) { memcpy(reserve(batch, size), data, size); }
void batch_string(struct batch *batch, uint16_t type, const char *text) { batch_attribute(batch, type, text, strlen(text) + 1); }
void batch_u32(struct batch *batch, uint16_t type, uint32_t value) { batch_attribute(batch, type, &value, sizeof value); }
void batch_u8(struct batch *batch, uint16_t type, uint8_t value) { batch_attribute(batch, type, &value, sizeof value); }

struct rtattr *batch_nest(struct batch *batch, uint16_t type) {
  struct rtattr *nest = (struct rtattr *)(void *)(batch->buffer + batch->size);
  batch_attribute(batch, (uint16_t)(type | NLA_F_NESTED), NULL, 0);
  return nest;
}

void batch_end_nest(struct batch *batch, struct rtattr *nest) {
  nest->rta_len = (unsigned short)(batch->buffer + batch->size - (char *)nest);
}

/* The kernel's own explanation in an acknowledgement, or NULL. */
static const char *explanation(const struct nlmsghdr *header) {
  const struct nlmsgerr *answer = NLMSG_DATA(header);
  if (!(header->nlmsg_flags & NLM_F_ACK_TLVS)) return NULL;
  size_t skip = sizeof *answer;
  if (!(header->nlmsg_flags & NLM_F_CAPPED)) skip += answer->msg.nlmsg_len - NLMSG_HDRLEN;
  skip = NLMSG_ALIGN(skip);
  if (NLMSG_PAYLOAD(header, 0) <= skip) return NULL;
  int left = (int)(NLMSG_PAYLOAD(header, 0) - skip);
  const struct rtattr *attribute = (const struct rtattr *)((const char *)answer + skip);
  for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    const char *text = RTA_DATA(attribute);
    if ((attribute->rta_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG && RTA_PAYLOAD(attribute) && !text[RTA_PAYLOAD(attribute) - 1]) return text;
  }
  return NULL;
}

static ssize_t receive(struct netlink *netlink, void *buffer, size_t size) {
  for (;;) {
    ssize_t got = recv(netlink->fd, buffer, size, 0);
    if (got >= 0 || errno != EINTR) return got;
  }
}

int batch_commit(struct netlink *netlink, struct batch *batch, const char *name, struct failure *failure) {
  _Alignas(NLMSG_ALIGNTO) char answers[4096];
  uint32_t first = netlink->sequence + 1;
  struct nlmsghdr *request = (struct nlmsghdr *)(void *)batch->buffer;
  for (size_t i = 0; i < batch->count; i++) {
    request->nlmsg_seq = ++netlink->sequence;
    request = (struct nlmsghdr *)(void *)((char *)request + NLMSG_ALIGN(request->nlmsg_len));
  }
  if (send(netlink->fd, batch->buffer, batch->size, 0) < 0) return fail(failure, "%s %s: send to netlink", batch->attempt[0], name);

  int result = 0;
  for (size_t answered = 0; answered < batch->count;) {
    ssize_t got = receive(netlink, answers, sizeof answers);
    if (got < 0) return fail(failure, "%s %s: receive from netlink", batch->attempt[0], name);
    for (struct nlmsghdr *header = (void *)answers; NLMSG_OK(header, got); header = NLMSG_NEXT(header, got)) {
      size_t index = header->nlmsg_seq - first;
      if (header->nlmsg_type != NLMSG_ERROR || index >= batch->count) continue;
      answered++;
      int error = -((const struct nlmsgerr *)NLMSG_DATA(header))->error;
      if (error == 0 || error == batch->tolerated[index] || result < 0) continue;
      const char *why = explanation(header);
      errno = error;
      if (why) result = fail_as(failure, error, "%s %s: %s (%s)", batch->attempt[index], name, strerror(error), why);
      else result = fail(failure, "%s %s", batch->attempt[index], name);
    }
  }
  return result;
}

int link_index(struct netlink *netlink, const char *name, struct failure *failure) {
  _Alignas(NLMSG_ALIGNTO) char answers[16384];
  struct batch batch = {0};
  batch_begin(&batch, RTM_GETLINK, 0, &(struct ifinfomsg){.ifi_family = AF_UNSPEC}, sizeof(struct ifinfomsg), "find link", 0);
  batch_string(&batch, IFLA_IFNAME, name);
  batch.last->nlmsg_flags = NLM_F_REQUEST; /* the answer is the acknowledgement */
  batch.last->nlmsg_seq = ++netlink->sequence;
  if (send(netlink->fd, batch.buffer, batch.size, 0) < 0) return fail(failure, "find link %s: send to netlink", name);
  for (;;) {
    ssize_t got = receive(netlink, answers, sizeof answers);
    if (got < 0) return fail(failure, "find link %s: receive from netlink", name);
    for (struct nlmsghdr *header = (void *)answers; NLMSG_OK(header, got); header = NLMSG_NEXT(header, got)) {
      if (header->nlmsg_seq != netlink->sequence) continue;
      if (header->nlmsg_type == RTM_NEWLINK) return ((const struct ifinfomsg *)NLMSG_DATA(header))->ifi_index;
      errno = -((const struct nlmsgerr *)NLMSG_DATA(header))->error;
      return fail(failure, "find link %s", name);
    }
  }
}
