import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { EvidenceView } from '../../../api/schemas/responses.ts'
import { formatBytes } from '../../../base/bytes.ts'
import { DayflyError, messageOf } from '../../../base/errors.ts'
import type { Command, Context } from '../command.ts'
import { painter, printable, timestamp } from '../output.ts'
import { writeFile } from '../write-file.ts'

/** Holds what passes against the hash that the record binds. */
const hashed = async function* (content: AsyncIterable<Uint8Array>, expected: string, name: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  for await (const piece of content) {
    hash.update(piece)
    yield piece
  }
  if (hash.digest('hex') !== expected) throw new DayflyError('corrupt', `${name} is not what the record says: its hash is another one`)
}

const copy = async ({ client }: Context, id: string, evidence: readonly EvidenceView[], folder: string): Promise<string[]> => {
  const written: string[] = []
  for (const { take, instance, files } of evidence) {
    const own = join(folder, `${take}-${instance}`)
    try {
      mkdirSync(own, { recursive: true, mode: 0o700 })
    } catch (error) {
      throw new DayflyError('invalid', `--output: ${own} cannot be made: ${messageOf(error)}`, { field: '--output', cause: error })
    }
    for (const { name, sha256 } of files) {
      const path = join(own, name)
      await writeFile(path, hashed(await client.evidenceFile(id, take, name), sha256, name), '--output')
      written.push(path)
    }
  }
  return written
}

export const command: Command = {
  name: 'forensics',
  takes: ['ENV'],
  summary: 'List the evidence that was taken of instances before anything was done to them, or copy it out.',
  details: [
    'Of each take: the process tree with hashes, open sockets, memory maps, what it wrote as an OCI layer, and the last minute of what it did. Each file is held against the hash that the record binds.',
    'The files come from a workload that is suspected: open them where they can do no harm.',
  ],
  completion: 'environment',
  options: [{ name: 'output', short: 'o', value: 'DIR', help: 'Copy all of it there, a folder for each take.', completion: 'file' }],
  examples: [
    ['dayfly forensics shop', 'what there is'],
    ['dayfly forensics shop -o case-42', 'all of it'],
  ],
  run: async (context, args) => {
    const [ref = ''] = args.positionals
    const { id } = await context.client.environment(ref)
    const evidence = await context.client.evidence(id)
    const output = args.text('output')
    const written = output === undefined ? [] : await copy(context, id, evidence, resolve(output))
    if (context.json) {
      context.write(`${JSON.stringify({ environment: id, evidence, ...(output === undefined ? {} : { files: written }) })}\n`)
      return 0
    }
    if (output !== undefined) {
      context.write(written.map(path => `${path}\n`).join(''))
      return 0
    }
    const paint = painter(context.colour)
    for (const { take, instance, rule, time, files, gaps } of evidence) {
      context.write(`${paint('bold', printable(`${take}  ${instance}  ${timestamp(time)}  ${rule}`))}\n`)
      for (const { name, bytes, sha256 } of files)
        context.write(`  ${printable(name).padEnd(16)} ${formatBytes(bytes).padStart(10)}  sha256:${sha256}\n`)
      for (const gap of gaps) context.write(`  ${paint('yellow', 'missing')}  ${printable(gap)}\n`)
    }
    return 0
  },
}
