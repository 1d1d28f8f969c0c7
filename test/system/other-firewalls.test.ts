/** `dayfly doctor` beside other firewalls: real rules, in network namespaces made for it, and the remedy as it is printed. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { root } from '../daemon.ts'
import type { Space } from './firewall/space.ts'
import { makeSpace } from './firewall/space.ts'

const lacking = ['iptables-nft', 'iptables-legacy', 'nft'].filter(program => {
  try {
    execFileSync(program, ['-V'], { stdio: 'ignore' })
    return false
  } catch {
    return true
  }
})
const skip = process.getuid?.() !== 0 ? 'needs root' : lacking.length > 0 ? `not installed: ${lacking.join(', ')}` : false

interface Check {
  readonly state: string
  readonly found: string
  readonly remedy: string | null
}

/** What doctor says when it runs in the namespace. */
const checkIn = (space: Space): Check => {
  const [program = '', ...enter] = space.enter
  const args = [
    ...enter,
    process.execPath,
    join(root, 'src/apps/daemon/main.ts'),
    '--check',
    'host',
    '--state-dir',
    '/tmp',
    '--run-dir',
    '/tmp/dayfly-none',
  ]
  const { checks }: { checks: (Check & { name: string })[] } = JSON.parse(execFileSync(program, args, { encoding: 'utf8' }))
  const found = checks.find(({ name }) => name === 'other firewalls')
  assert.ok(found)
  return found
}
/** The commands before the explanation. */
const commandsOf = ({ remedy }: Check): string => (remedy ?? '').replace(/\. Dayfly's own rules.*$/, '')

describe('other firewalls', { skip }, () => {
  test('none', async () => {
    await using space = await makeSpace()
    assert.equal(checkIn(space).state, 'ok')
  })

  for (const [who, rules, where] of [
    [
      'docker, by iptables-nft',
      `iptables-nft -P FORWARD DROP; iptables-nft -N DOCKER-USER; iptables-nft -A DOCKER-USER -j RETURN; iptables-nft -A FORWARD -j DOCKER-USER
       iptables-nft -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; iptables-nft -A FORWARD -i docker0 ! -o docker0 -j ACCEPT`,
      'chain FORWARD of table ip filter',
    ],
    [
      'docker, by iptables-legacy',
      `iptables-legacy -P FORWARD DROP; iptables-legacy -N DOCKER-USER; iptables-legacy -A DOCKER-USER -j RETURN; iptables-legacy -A FORWARD -j DOCKER-USER
       iptables-legacy -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
      'chain FORWARD of iptables-legacy',
    ],
    [
      'an administrator, by nft',
      `nft -f - <<'RULES'
table inet guard {
  chain inner { meta l4proto tcp accept; }
  chain forward { type filter hook forward priority 10; policy accept; iifname "lan*" jump inner; ct state vmap { established : accept, invalid : drop }; ct state new ip saddr 10.0.0.0/8 drop; log prefix "no" counter reject; }
}
RULES`,
      'chain forward of table inet guard',
    ],
    [
      'an administrator who forgot the answers',
      'nft add table ip guard; nft add chain ip guard forward "{ type filter hook forward priority 0; policy drop; }"; nft add rule ip guard forward ct state new accept',
      'chain forward of table ip guard',
    ],
  ] as const) {
    test(`${who}: what drops is named, and its remedy lets it through`, async () => {
      await using space = await makeSpace()
      space.sh(rules)
      const before = checkIn(space)
      assert.equal(before.state, 'warn')
      assert.ok(before.found.startsWith(`${where} drops `), before.found)
      assert.match(before.found, /what instances send|the answers/)
      space.sh(commandsOf(before).replaceAll(/\biptables /g, 'iptables-nft '))
      assert.deepEqual(checkIn(space), { name: 'other firewalls', state: 'ok', found: 'none that drops what instances send', remedy: null })
    })
  }
})
