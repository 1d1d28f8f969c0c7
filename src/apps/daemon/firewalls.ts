/** What other firewalls there are, for `dayfly doctor`: by nftables, and by the old tables where they are in use. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { errnoOf } from '../../base/errors.ts'
import type { ForwardSources } from '../../host/inspection/forward.ts'
import { devicesTowards } from '../../host/nft/forwarding.ts'

const patience = 5_000

/** `iptables-legacy` would load what is not in use: it is called only where the kernel has such a table already. */
const legacy = async (signal: AbortSignal): Promise<string | undefined | null> => {
  let names: string
  try {
    names = readFileSync('/proc/net/ip_tables_names', 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
  if (!names.split('\n').includes('filter')) return undefined
  return await new Promise((resolve, reject) => {
    execFile('iptables-legacy', ['-w', '5', '-S'], { timeout: 2 * patience, signal }, (error, stdout) => {
      if (error === null) resolve(stdout)
      else if (error.code === 'ENOENT') resolve(null)
      else reject(error)
    })
  })
}

/** An address that no route but the default one is for. */
const elsewhere = '192.0.2.1/32'

export const firewallSources = (nft: ForwardSources['nft'], signal: AbortSignal): ForwardSources => {
  const [outside = 'eth0'] = devicesTowards(readFileSync('/proc/net/route', 'utf8'), [elsewhere], '255.255.255.255/32')
  return { nft, outside, legacy: () => legacy(signal) }
}
