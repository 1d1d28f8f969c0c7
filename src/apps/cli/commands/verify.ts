import { createReadStream, statSync } from 'node:fs'
import { DayflyError } from '../../../base/errors.ts'
import type { Verification } from '../../../model/seal.ts'
import { verifyBundle } from '../../../seal/open.ts'
import type { Command, Context } from '../command.ts'
import type { Paint } from '../output.ts'
import { painter, printable } from '../output.ts'
import { trustedKeys } from '../record-keys.ts'

/** Names and ids of environments have neither. */
const isFile = (word: string): boolean => /[./]/.test(word)

const words: Readonly<Record<Verification['verdict'], string>> = {
  whole: 'whole: nothing was removed, changed, added or reordered',
  broken: 'BROKEN',
  unproven: 'not proven',
}

const signer = ({ key, trust, signedAt }: Verification): string => {
  if (key === null) return 'by nobody'
  const from = {
    given: 'a key that was given',
    known: 'a key of this host’s daemon',
    inside: 'a key that only the bundle knows: anybody can make one',
    none: 'nobody',
  }
  return `by ${key} (${from[trust]})${signedAt === null ? '' : ` at ${signedAt}`}`
}

const textOf = (found: Verification, paint: Paint): string => {
  const { environment, verdict, checked, faults, unchecked } = found
  const colour = verdict === 'whole' ? 'green' : verdict === 'broken' ? 'red' : 'yellow'
  const width = Math.max(0, ...[...checked, ...faults, ...unchecked].map(({ member }) => member.length)) + 2
  const line = (mark: string, member: string, said: string): string => `  ${mark} ${printable(member).padEnd(width)}${printable(said)}\n`
  return [
    `record of ${printable(environment)}: ${paint(colour, words[verdict])}\n`,
    ...faults.map(({ member, sequence, message }) => line(paint('red', '✗'), member, sequence === null ? message : `entry ${sequence}: ${message}`)),
    ...checked.map(({ member, what }) => line(paint('green', '✓'), member, what)),
    ...unchecked.map(({ member, reason }) => line(paint('yellow', '?'), member, `not checked: ${reason}`)),
    `  signed ${printable(signer(found))}\n`,
  ].join('')
}

const openFile = (path: string): AsyncIterable<Uint8Array> => {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new DayflyError('invalid', `${path}: there is no such file`, {
      field: 'BUNDLE',
      remedy: 'Name a file that `dayfly export` wrote, or an environment.',
    })
  }
  return createReadStream(path, { highWaterMark: 256 * 1024 })
}

/** What a bundle says to whoever reads it here; without keys, what the daemon says of its own record. */
const verify = async (word: string, paths: readonly string[], context: Context): Promise<Verification> => {
  if (isFile(word)) return await verifyBundle(openFile(word), trustedKeys(paths, context))
  if (paths.length === 0) return await context.client.verify(word)
  const trusted = trustedKeys(paths, context)
  return await verifyBundle(await context.client.exportRecord(word), trusted)
}

export const command: Command = {
  name: 'verify',
  takes: ['ENV|BUNDLE...'],
  summary: 'Prove that nothing of a record was removed, changed, added or reordered.',
  details: [
    'Of an environment, the daemon reads its record, logs, access log, activity and evidence, and holds them against what was signed when it ended. Of a file that ' +
      '`dayfly export` wrote (a word with a dot or a slash), this program does, without a daemon, on any machine. With --key, it does of both.',
    'What proves who made a bundle is a key that comes another way: --key, $DAYFLY_RECORD_KEY, or on the same host <state-dir>/record.pub. Without one, only that it is in one ' +
      'piece can be said: the verdict is then `not proven`.',
    'Exit code 0: whole, or it lives and nothing is wrong yet. 1: broken, or a bundle that nobody trusted has signed.',
  ],
  completion: 'environment',
  options: [
    {
      name: 'key',
      value: 'FILE',
      repeats: true,
      help: 'Believe these keys and no others: PEM, as `dayfly export --public-key` writes them.',
      completion: 'file',
    },
  ],
  examples: [
    ['dayfly verify web', 'asks the daemon'],
    ['dayfly verify e4x2k9q7w1ab.tar.zst --key dayfly.pub', 'on another machine'],
    ['dayfly verify web --json | jq .faults', 'for programs'],
  ],
  run: async (context, args) => {
    const paint = painter(context.colour)
    let code = 0
    for (const word of args.positionals) {
      const found = await verify(word, args.list('key'), context)
      context.write(context.json ? `${JSON.stringify(found)}\n` : textOf(found, paint))
      if (found.verdict === 'broken' || found.trust === 'inside' || (found.verdict === 'unproven' && found.sealed)) code = 1
    }
    return code
  },
}
