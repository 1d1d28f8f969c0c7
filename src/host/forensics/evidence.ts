/** Everything of one container, as files: what runs in it, whom it talks to, what is in its memory's maps, and what it has written. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../base/errors.ts'
import { createGaps } from './gaps.ts'
import { writeLayer } from './layer.ts'
import { describeMaps, describeProcesses } from './processes.ts'
import { redactionOf } from './redaction.ts'
import { describeSockets } from './sockets.ts'

export interface EvidenceSource {
  /** Pids of the host. */
  readonly pids: readonly number[]
  /** One in the container's network namespace. */
  readonly networkPid: number | undefined
  readonly upper: string
  readonly firstId: number
  readonly xattr: (descriptor: number, name: string) => Promise<string | undefined>
}

export interface EvidenceOutput {
  readonly folder: string
  readonly mostBytes: number
  readonly secrets: readonly Uint8Array[]
}

/** What one file may hold beside the layer, which gets the rest. */
const share = 64 * 1024 * 1024

/** One part that fails takes nothing from the others: it is a gap. `signal` ends it; what there is then stays. */
export const collectEvidence = async (
  { pids, networkPid, upper, firstId, xattr }: EvidenceSource,
  { folder, mostBytes, secrets }: EvidenceOutput,
  signal: AbortSignal,
): Promise<{ files: string[]; gaps: string[] }> => {
  const gaps = createGaps()
  const redaction = redactionOf(secrets)
  const files: string[] = []
  let left = mostBytes
  const part = async (name: string, work: () => Promise<string>): Promise<void> => {
    try {
      const text = await work()
      if (Buffer.byteLength(text) > Math.min(share, left)) return gaps.note('there was no room', name)
      await writeFile(join(folder, name), text, { mode: 0o600, flag: 'wx' })
      left -= Buffer.byteLength(text)
      files.push(name)
    } catch (error) {
      gaps.note(`${name}: ${messageOf(error)}`)
    }
  }
  const json = (value: unknown): string => `${JSON.stringify(value, null, 1)}\n`

  const processes = await describeProcesses(pids, redaction, gaps, signal)
  const holders = new Map<number, number[]>()
  for (const { pid, descriptors } of processes) {
    for (const { target } of descriptors) {
      const inode = Number(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? Number.NaN)
      if (!Number.isNaN(inode)) holders.set(inode, [...(holders.get(inode) ?? []), pid])
    }
  }
  if (processes.length === 0) gaps.note('no process was left')
  await part('processes.json', async () => json(processes))
  if (networkPid !== undefined) {
    await part('sockets.json', async () => redaction.text(json(await describeSockets(networkPid, holders, gaps))))
  }
  await part('maps.txt', () =>
    describeMaps(
      processes.map(({ pid }) => pid),
      redaction,
      gaps,
      signal,
    ),
  )
  try {
    await writeLayer({ ...{ upper, firstId, xattr, redaction, gaps }, output: join(folder, 'layer.tar'), mostBytes: left }, signal)
    files.push('layer.tar')
  } catch (error) {
    gaps.note(`layer.tar: ${messageOf(error)}`)
  }
  return { files, gaps: gaps.list() }
}
