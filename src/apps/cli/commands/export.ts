import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { DayflyError } from '../../../base/errors.ts'
import type { Command, Context } from '../command.ts'
import { writeFile } from '../write-file.ts'

const toOutput = async (content: AsyncIterable<Uint8Array>): Promise<void> => await pipeline(content, process.stdout, { end: false })

const exportKeys = async ({ client }: Context, file: string | undefined): Promise<void> => {
  const text = (await client.recordKeys()).map(({ publicKey }) => publicKey).join('')
  if (file === undefined || file === '-') process.stdout.write(text)
  else await writeFile(resolve(file), [Buffer.from(text)], '--output')
}

export const command: Command = {
  name: 'export',
  takes: ['[ENV]'],
  summary: 'Write all that is kept of an ended environment into one signed file.',
  details: [
    'It is a tar archive: the signed statement, the record, logs, the access log, what instances did, evidence, what is known of the images, and the report. docs/record.md has its layout. ' +
      '`dayfly verify` proves it on any machine.',
    'The file is for its owner alone: logs are in it as instances wrote them.',
  ],
  completion: 'environment',
  options: [
    {
      name: 'output',
      short: 'o',
      value: 'FILE',
      help: 'Where to: compressed when the name ends with .zst; - is standard output. Default: ID.tar.zst in this folder.',
      completion: 'file',
    },
    { name: 'public-key', help: 'Instead: the public keys of this daemon, the one in use first, for `dayfly verify --key`.' },
  ],
  examples: [
    ['dayfly export web', 'all there is, in one file'],
    ['dayfly export --public-key -o dayfly.pub', 'what others verify it with'],
    ['dayfly export web -o - | tar -xO report.html', 'one part of it'],
  ],
  run: async (context, args) => {
    const [ref] = args.positionals
    const file = args.text('output')
    if (args.flag('public-key')) {
      await exportKeys(context, file)
      return 0
    }
    if (ref === undefined)
      throw new DayflyError('invalid', 'ENV: is missing', { field: 'ENV', remedy: '`dayfly export --help` shows how it is used.' })
    const { id } = await context.client.environment(ref)
    const content = await context.client.exportRecord(id)
    if (file === '-') {
      await toOutput(content)
      return 0
    }
    const path = resolve(file ?? `${id}.tar.zst`)
    await writeFile(path, content, '--output')
    if (context.json) context.write(`${JSON.stringify({ environment: id, file: path })}\n`)
    else context.say(`all that is kept of ${id} is in ${path}`)
    return 0
  },
}
