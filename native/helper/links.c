/* Bridges, over one rtnetlink socket for the life of the helper. */
#include "netlink/netlink.h"
#include "operations.h"

static struct netlink *connection(struct failure *failure) {
  static struct netlink netlink = {.fd = -1};
  if (netlink.fd < 0 && netlink_open(&netlink, failure) < 0) {
    netlink.fd = -1;
    return NULL;
  }
  return &netlink;
}

int add_bridge(const struct call *call, struct failure *failure) {
  struct network_address address;
  if (netlink_check_name(call->argument[0], "bridge", failure) < 0) return -1;
  if (netlink_parse_address(call->argument[1], &address, failure) < 0) return -1;
  struct netlink *netlink = connection(failure);
  if (!netlink || netlink_add_bridge(netlink, call->argument[0], &address, failure) < 0) return -1;
  return answer(call, NULL, NULL);
}

int delete_link(const struct call *call, struct failure *failure) {
  if (netlink_check_name(call->argument[0], "link", failure) < 0) return -1;
  struct netlink *netlink = connection(failure);
  if (!netlink || netlink_delete_link(netlink, call->argument[0], failure) < 0) return -1;
  return answer(call, NULL, NULL);
}
