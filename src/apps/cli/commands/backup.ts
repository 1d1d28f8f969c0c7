import { resolve } from 'node:path'
import { DayflyError } from '../../../base/errors.ts'
import type { Command } from '../command.ts'
import { writeFile } from '../write-file.ts'

export const command: Command = {
  name: 'backup',
  takes: ['FILE'],
  summary: 'Write the state of the daemon into one file, while it goes on.',
  details: [
    'Records, what instances did, logs, access logs, keys, policies and rules, as they are at one moment, with the hash of each. Images and vulnerability data can be had again and are not in it. ' +
      'Compressed when the name ends with .zst.',
    'The file is for its owner alone: whoever has it has the keys that records are signed with.',
  ],
  options: [{ name: 'evidence', help: 'Evidence that was taken of instances, too; it may be large.' }],
  examples: [
    ['dayfly backup dayfly.tar.zst', 'all but the evidence'],
    ['dayfly backup --evidence /backup/dayfly.tar', 'all there is'],
  ],
  run: async (context, args) => {
    const [file] = args.positionals
    if (file === undefined)
      throw new DayflyError('invalid', 'FILE: is missing', { field: 'FILE', remedy: '`dayfly backup --help` shows how it is used.' })
    const path = resolve(file)
    await writeFile(path, await context.client.backup({ evidence: args.flag('evidence') }), 'FILE')
    if (context.json) context.write(`${JSON.stringify({ file: path })}\n`)
    else context.say(`the state is in ${path}; \`dayfly restore\` brings it back`)
    return 0
  },
}
