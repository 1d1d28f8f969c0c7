/*
 * The few changes to links, addresses and routes that an instance needs, by rtnetlink. A handle works on the network namespace it was opened
 * in, wherever its process is now. IPv4 only: IPv6 is off in everything that Dayfly makes. Every function returns 0, or -1 and a failure.
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "wire/failure.h"

struct netlink {
  int fd;
  uint32_t sequence;
};

/* An address and the length of its network's prefix: 10.0.0.1/24. */
struct network_address {
  struct in_addr address;
  uint8_t prefix;
};

/* Opens a handle on the caller's present network namespace. Close it with close(netlink->fd). */
int netlink_open(struct netlink *netlink, struct failure *failure);

/* EINVAL unless the name is 1–15 characters without blank, control character, '/', ':' or '%', and not "." or "..". */
int netlink_check_name(const char *name, const char *what, struct failure *failure);
int netlink_parse_address(const char *text, struct network_address *address, struct failure *failure);
int netlink_parse_mac(const char *text, uint8_t mac[6], struct failure *failure);

/*
 * A bridge, up, with this address: no spanning tree, no multicast snooping, IPv6 off, a MAC of its own (or else it would change with its
 * ports). The caller must be in the handle's network namespace. EEXIST when there is a link of that name; on any failure nothing is left.
 */
int netlink_add_bridge(struct netlink *netlink, const char *name, const struct network_address *address, struct failure *failure);

/*
 * A veth pair: `name` in the handle's namespace, an isolated port of `bridge` and up; `peer` with this MAC in the network namespace of the
 * descriptor, still down. On failure nothing is left.
 */
int netlink_add_veth(struct netlink *netlink, const char *name, const char *bridge, const char *peer, const uint8_t peer_mac[6], int peer_namespace,
                     struct failure *failure);

/* Whether a bridge's port reaches only ports that are not isolated: the bridge's own address, here. ENODEV when there is no such link. */
int netlink_isolate_port(struct netlink *netlink, const char *name, int isolated, struct failure *failure);

int netlink_set_up(struct netlink *netlink, const char *name, struct failure *failure);

/* Adds the address, brings the link up, and makes the gateway its default route. */
int netlink_configure(struct netlink *netlink, const char *name, const struct network_address *address, struct in_addr gateway, struct failure *failure);

/* 0 also when there is no such link. */
int netlink_delete_link(struct netlink *netlink, const char *name, struct failure *failure);
