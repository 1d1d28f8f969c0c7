/** What must be true when the last daemon has adopted everything and every job is over. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../../../src/api/client/client.ts'
import type { EnvironmentView } from '../../../src/api/schemas/environments.ts'
import { root } from '../../daemon.ts'
import type { Told } from './worker.ts'

/** Resolves when no environment lives; rejects, naming them, when some live on beyond every lease of the test. */
export const everythingEnded = async (client: Client): Promise<void> => {
  for (let attempt = 0; attempt < 450; attempt++) {
    if ((await client.environments()).length === 0) return
    await sleep(100)
  }
  const living = await client.environments()
  throw new Error(`still there: ${living.map(({ name, state, reason }) => `${name} is ${state} (${reason})`).join(', ')}`)
}

const logOf = async (client: Client, instance: string): Promise<string> => {
  const pieces: Buffer[] = []
  for await (const entry of client.logEntries(instance, {})) {
    if (entry.stream === 'stdout') pieces.push(Buffer.from(entry.data, entry.encoding === 'base64' ? 'base64' : 'utf8'))
  }
  return Buffer.concat(pieces).toString()
}

export interface Verdict {
  readonly faults: readonly string[]
  readonly environments: number
  /** How many ran their first instruction, and how many were undone before it. */
  readonly ran: number
  readonly undone: number
}

export const verify = async (client: Client, told: readonly Told[]): Promise<Verdict> => {
  const faults: string[] = []
  const environments = new Map((await client.environments({ all: true })).map(environment => [environment.name, environment]))
  let ran = 0
  let undone = 0
  for (const known of told) {
    const { name } = known.job
    const environment = environments.get(name)
    if (environment === undefined) {
      if (known.created) faults.push(`${name}: the daemon said that it exists, and it is not in the store`)
      continue
    }
    const found = await environmentFaults(client, environment, known)
    faults.push(...found.faults.map(fault => `${name} (${known.job.kind}): ${fault}`))
    if (found.ran) ran++
    else undone++
  }
  return { faults, environments: environments.size, ran, undone }
}

const environmentFaults = async (client: Client, environment: EnvironmentView, known: Told): Promise<{ ran: boolean; faults: string[] }> => {
  const faults: string[] = []
  if (environment.state !== 'ended') faults.push(`is ${environment.state}`)
  const events = await client.events({ environment: environment.id, limit: 1000 })
  if (events.some((event, index) => event.sequence !== index + 1)) faults.push('its record has a gap')
  const instance = environment.instances[0]
  if (instance === undefined || instance.startedAt === null) {
    if (known.created) faults.push(`the daemon said that it runs, and the record says that it never did: ${instance?.reason ?? 'no instance'}`)
    return { ran: false, faults }
  }
  const exit = instance.exit
  if (exit === null) return { ran: true, faults: [...faults, `its exit status is lost: ${instance.reason}`] }
  const causes = known.ended ? ['requested', 'completed', 'ttl'] : known.job.kind === 'lines' ? ['completed'] : ['ttl']
  if (!causes.includes(environment.cause ?? ''))
    faults.push(`ended by ${environment.cause} (${environment.reason}) instead of ${causes.join(' or ')}`)
  if (known.exit !== undefined && known.exit !== exit.code) faults.push(`the client was told ${known.exit}, the record says ${exit.code}`)
  if (exit.droppedBytes > 0) faults.push(`${exit.droppedBytes} bytes of output were dropped`)
  faults.push(...known.job.faults(await logOf(client, instance.id), exit.code, known.ended))
  return { ran: true, faults }
}

/** What the kernel has that looks like Dayfly's, as a shell script sees it. */
export const kernelObjects = (): Set<string> => {
  const { stdout, stderr, status } = spawnSync(join(root, 'scripts/leaks'), { encoding: 'utf8' })
  if (status !== 0) throw new Error(`scripts/leaks failed: ${stderr}`)
  return new Set(stdout.split('\n').filter(line => line !== '' && !line.startsWith('folder ')))
}
