/* The instance's network namespace, which is the monitor's own: it goes when the monitor goes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "netlink/netlink.h"

struct network {
  struct netlink host;  /* opened before the namespaces were left: reaches the host's links */
  struct netlink inner; /* fd -1 until netns_prepare */
  char interface[16];   /* the host end; empty when there is none */
};

struct network_request {
  const char *bridge, *interface, *address, *gateway, *mac;
};

/* Before the namespaces are unshared. */
int netns_open(struct network *network, struct failure *failure);
/* In the new namespace: IPv6 off, lo up, sysctls. */
int netns_prepare(struct network *network, struct failure *failure);
int netns_connect(struct network *network, const struct network_request *request, struct failure *failure);
/* Bytes that came in and went out by eth0. False when there is none. */
bool netns_count(uint64_t *received, uint64_t *sent);
/* Deletes the veth pair now, rather than some time after the namespace's end. */
int netns_disconnect(struct network *network, struct failure *failure);
