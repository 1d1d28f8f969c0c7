#include "netns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int netns_open(struct network *network, struct failure *failure) {
  network->inner.fd = -1;
  return netlink_open(&network->host, failure);
}

static int write_sysctl(const char *path, const char *value, struct failure *failure) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return 0; /* a kernel built without it has nothing to switch */
  int result = fd < 0 || write(fd, value, strlen(value)) < 0 ? fail(failure, "write %s to %s", value, path) : 0;
  if (fd >= 0) close(fd);
  return result;
}

int netns_prepare(struct network *network, struct failure *failure) {
  /* Of this network namespace, not the host's: the kernel looks at who opens the file. */
  static const char *const settings[][2] = {
      {"/proc/sys/net/ipv6/conf/all/disable_ipv6", "1"},
      {"/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"},
      {"/proc/sys/net/ipv4/ip_unprivileged_port_start", "0"},
      {"/proc/sys/net/ipv4/ping_group_range", "0 2147483647"},
  };
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
    if (write_sysctl(settings[i][0], settings[i][1], failure) < 0) return -1;
  }
  if (netlink_open(&network->inner, failure) < 0) return -1;
  return netlink_set_up(&network->inner, "lo", failure);
}

int netns_connect(struct network *network, const struct network_request *request, struct failure *failure) {
  struct network_address address;
  struct in_addr gateway;
  uint8_t mac[6];
  if (netlink_check_name(request->bridge, "bridge", failure) < 0) return -1;
  if (netlink_check_name(request->interface, "host interface", failure) < 0) return -1;
  if (netlink_parse_address(request->address, &address, failure) < 0) return -1;
  if (netlink_parse_mac(request->mac, mac, failure) < 0) return -1;
  if (inet_pton(AF_INET, request->gateway, &gateway) != 1) {
    return fail_as(failure, EINVAL, "gateway: \"%.40s\" is not an IPv4 address", request->gateway);
  }
  int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (here < 0) return fail(failure, "open the network namespace");
  int result = netlink_add_veth(&network->host, request->interface, request->bridge, "eth0", mac, here, failure);
  close(here);
  if (result < 0) return -1;
  snprintf(network->interface, sizeof network->interface, "%s", request->interface);
  return netlink_configure(&network->inner, "eth0", &address, gateway, failure);
}

/* Of FOLDER/sys, which is of this namespace. */
static bool read_counter(const char *path, uint64_t *value) {
  char text[24];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  if (size <= 0) return false;
  text[size] = 0;
  *value = strtoull(text, NULL, 10);
  return true;
}

bool netns_count(uint64_t *received, uint64_t *sent) {
  return read_counter("sys/class/net/eth0/statistics/rx_bytes", received) && read_counter("sys/class/net/eth0/statistics/tx_bytes", sent);
}

int netns_disconnect(struct network *network, struct failure *failure) {
  if (!network->interface[0]) return 0;
  /* By the inner end: the host's link of that name might by now be somebody else's. */
  if (netlink_delete_link(&network->inner, "eth0", failure) < 0) return -1;
  network->interface[0] = 0;
  return 0;
}
