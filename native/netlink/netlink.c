#include "netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "message.h"
#include "wire/wire.h"

int netlink_check_name(const char *name, const char *what, struct failure *failure) {
  size_t length = strlen(name);
  int bad = length < 1 || length >= IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, "..");
  for (const char *c = name; *c; c++) bad |= *c <= ' ' || *c >= 127 || *c == '/' || *c == ':' || *c == '%';
  return bad ? fail_as(failure, EINVAL, "%s: \"%.40s\" is not the name of an interface (1 to 15 characters)", what, name) : 0;
}

int netlink_parse_address(const char *text, struct network_address *address, struct failure *failure) {
  char host[INET_ADDRSTRLEN];
  const char *slash = strchr(text, '/');
  uint64_t prefix;
  if (slash && (size_t)(slash - text) < sizeof host) {
    memcpy(host, text, (size_t)(slash - text));
    host[slash - text] = 0;
    if (inet_pton(AF_INET, host, &address->address) == 1) {
      if (wire_number(slash + 1, "address: prefix length", 0, 32, &prefix, failure) < 0) return -1;
      address->prefix = (uint8_t)prefix;
      return 0;
    }
  }
  return fail_as(failure, EINVAL, "address: \"%.40s\" is not an IPv4 address with its prefix length, like 10.0.0.1/24", text);
}

int netlink_parse_mac(const char *text, uint8_t mac[6], struct failure *failure) {
  char rest;
  int got = sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5], &rest);
  if (got != 6 || strlen(text) != 17 || mac[0] & 1) return fail_as(failure, EINVAL, "mac: \"%.40s\" is not the MAC address of one interface", text);
  return 0;
}

static void begin_link(struct batch *batch, uint16_t flags, unsigned up, const char *name, const char *attempt, int tolerated) {
  struct ifinfomsg header = {.ifi_family = AF_UNSPEC, .ifi_flags = up, .ifi_change = up};
  batch_begin(batch, RTM_NEWLINK, flags, &header, sizeof header, attempt, tolerated);
  batch_string(batch, IFLA_IFNAME, name);
}

/* No link-local address, not even for a moment. Kernels without IPv6 say EAFNOSUPPORT. */
static void add_no_ipv6(struct batch *batch, const char *name) {
  begin_link(batch, 0, 0, name, "switch IPv6 off on", EAFNOSUPPORT);
  struct rtattr *families = batch_nest(batch, IFLA_AF_SPEC);
  struct rtattr *ipv6 = batch_nest(batch, AF_INET6);
  batch_u8(batch, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
  batch_end_nest(batch, ipv6);
  batch_end_nest(batch, families);
}

static void add_address(struct batch *batch, int index, const struct network_address *address) {
  struct ifaddrmsg header = {.ifa_family = AF_INET, .ifa_prefixlen = address->prefix, .ifa_index = (unsigned)index};
  batch_begin(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header, "add the address of", 0);
  batch_attribute(batch, IFA_LOCAL, &address->address, sizeof address->address);
  batch_attribute(batch, IFA_ADDRESS, &address->address, sizeof address->address);
  uint32_t host_bits = address->prefix < 31 ? 0xffffffffu >> address->prefix : 0;
  if (host_bits) {
    struct in_addr broadcast = {.s_addr = address->address.s_addr | htonl(host_bits)};
    batch_attribute(batch, IFA_BROADCAST, &broadcast, sizeof broadcast);
  }
}

static int disable_ipv6(const char *name, struct failure *failure) {
  char path[64 + IFNAMSIZ];
  snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return 0; /* a kernel without IPv6 */
  int result = fd < 0 || write(fd, "1", 1) < 0 ? fail(failure, "write %s", path) : 0;
  if (fd >= 0) close(fd);
  return result;
}

/* Undoes a creation whose second half failed; the first failure is the one to tell. */
static int undo_link(struct netlink *netlink, const char *name) {
  struct failure ignored;
  netlink_delete_link(netlink, name, &ignored);
  return -1;
}

/* Creation is a batch of its own: the messages after a failed one are still carried out, and must not touch somebody else's link. */
static int create_bridge(struct netlink *netlink, const char *name, struct failure *failure) {
  uint8_t mac[6];
  if (getrandom(mac, sizeof mac, 0) != sizeof mac) return fail(failure, "make a MAC address for %s", name);
  mac[0] = (uint8_t)((mac[0] | 2) & ~1); /* locally administered, not a group's */
  struct batch batch = {0};
  begin_link(&batch, NLM_F_CREATE | NLM_F_EXCL, 0, name, "add bridge", 0);
  batch_attribute(&batch, IFLA_ADDRESS, mac, sizeof mac);
  struct rtattr *info = batch_nest(&batch, IFLA_LINKINFO);
  batch_string(&batch, IFLA_INFO_KIND, "bridge");
  struct rtattr *data = batch_nest(&batch, IFLA_INFO_DATA);
  batch_u32(&batch, IFLA_BR_STP_STATE, 0);
  batch_u8(&batch, IFLA_BR_MCAST_SNOOPING, 0);
  batch_end_nest(&batch, data);
  batch_end_nest(&batch, info);
  return batch_commit(netlink, &batch, name, failure);
}

int netlink_add_bridge(struct netlink *netlink, const char *name, const struct network_address *address, struct failure *failure) {
  if (create_bridge(netlink, name, failure) < 0) return -1;
  int index = link_index(netlink, name, failure);
  if (index < 0 || disable_ipv6(name, failure) < 0) return undo_link(netlink, name);
  struct batch batch = {0};
  add_no_ipv6(&batch, name);
  add_address(&batch, index, address);
  begin_link(&batch, 0, IFF_UP, name, "bring up", 0);
  return batch_commit(netlink, &batch, name, failure) < 0 ? undo_link(netlink, name) : 0;
}

static int create_veth(struct netlink *netlink, const char *name, int master, const char *peer, const uint8_t peer_mac[6], int peer_namespace,
                       struct failure *failure) {
  struct batch batch = {0};
  begin_link(&batch, NLM_F_CREATE | NLM_F_EXCL, 0, name, "add veth", 0);
  batch_u32(&batch, IFLA_MASTER, (uint32_t)master);
  struct rtattr *info = batch_nest(&batch, IFLA_LINKINFO);
  batch_string(&batch, IFLA_INFO_KIND, "veth");
  struct rtattr *data = batch_nest(&batch, IFLA_INFO_DATA);
  struct rtattr *other = batch_nest(&batch, VETH_INFO_PEER);
  batch_bytes(&batch, &(struct ifinfomsg){.ifi_family = AF_UNSPEC}, sizeof(struct ifinfomsg));
  batch_string(&batch, IFLA_IFNAME, peer);
  batch_attribute(&batch, IFLA_ADDRESS, peer_mac, 6);
  batch_u32(&batch, IFLA_NET_NS_FD, (uint32_t)peer_namespace);
  batch_end_nest(&batch, other);
  batch_end_nest(&batch, data);
  batch_end_nest(&batch, info);
  return batch_commit(netlink, &batch, name, failure);
}

static void add_isolation(struct batch *batch, const char *name, int isolated) {
  begin_link(batch, 0, 0, name, isolated ? "isolate the bridge port" : "end the isolation of the bridge port", 0);
  struct rtattr *info = batch_nest(batch, IFLA_LINKINFO);
  batch_string(batch, IFLA_INFO_SLAVE_KIND, "bridge");
  struct rtattr *data = batch_nest(batch, IFLA_INFO_SLAVE_DATA);
  batch_u8(batch, IFLA_BRPORT_ISOLATED, isolated ? 1 : 0);
  batch_end_nest(batch, data);
  batch_end_nest(batch, info);
}

int netlink_isolate_port(struct netlink *netlink, const char *name, int isolated, struct failure *failure) {
  struct batch batch = {0};
  add_isolation(&batch, name, isolated);
  return batch_commit(netlink, &batch, name, failure);
}

int netlink_add_veth(struct netlink *netlink, const char *name, const char *bridge, const char *peer, const uint8_t peer_mac[6], int peer_namespace,
                     struct failure *failure) {
  int master = link_index(netlink, bridge, failure);
  if (master < 0 || create_veth(netlink, name, master, peer, peer_mac, peer_namespace, failure) < 0) return -1;
  struct batch batch = {0};
  add_no_ipv6(&batch, name);
  add_isolation(&batch, name, 1);
  begin_link(&batch, 0, IFF_UP, name, "bring up", 0);
  return batch_commit(netlink, &batch, name, failure) < 0 ? undo_link(netlink, name) : 0;
}

int netlink_set_up(struct netlink *netlink, const char *name, struct failure *failure) {
  struct batch batch = {0};
  begin_link(&batch, 0, IFF_UP, name, "bring up", 0);
  return batch_commit(netlink, &batch, name, failure);
}

int netlink_configure(struct netlink *netlink, const char *name, const struct network_address *address, struct in_addr gateway, struct failure *failure) {
  int index = link_index(netlink, name, failure);
  if (index < 0) return -1;
  struct batch batch = {0};
  add_address(&batch, index, address);
  begin_link(&batch, 0, IFF_UP, name, "bring up", 0);
  struct rtmsg header = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC, .rtm_type = RTN_UNICAST};
  batch_begin(&batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header, "add a default route to", 0);
  batch_attribute(&batch, RTA_GATEWAY, &gateway, sizeof gateway);
  batch_u32(&batch, RTA_OIF, (uint32_t)index);
  return batch_commit(netlink, &batch, name, failure);
}

int netlink_delete_link(struct netlink *netlink, const char *name, struct failure *failure) {
  struct batch batch = {0};
  batch_begin(&batch, RTM_DELLINK, 0, &(struct ifinfomsg){.ifi_family = AF_UNSPEC}, sizeof(struct ifinfomsg), "delete link", ENODEV);
  batch_string(&batch, IFLA_IFNAME, name);
  return batch_commit(netlink, &batch, name, failure);
}
