/**
 * Whether what crosses a bridge passes the rules of IP as well. The module br_netfilter does that: docker and Kubernetes load it, Debian does not. Loading it
 * changes every bridge of the host, so no test does.
 */
import { existsSync } from 'node:fs'

const loaded = existsSync('/proc/sys/net/bridge/bridge-nf-call-iptables')

/** Why a test of that setting cannot run here; false when it can. Without the module it is as if the setting were 0. */
export const missingBridgeFilter = (setting: 0 | 1): string | false =>
  setting === 1 && !loaded ? 'the kernel module br_netfilter is not loaded: modprobe br_netfilter' : false

/** Shell text that sets it in the network namespace it runs in. */
export const setBridgeFilter = (setting: 0 | 1): string =>
  loaded ? `for setting in /proc/sys/net/bridge/bridge-nf-call-ip*tables; do echo ${setting} > $setting; done` : ':'
