import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { DayflyError } from '../../../base/errors.ts'
import type { Command, Context } from '../command.ts'
import { daemonCache, daemonEntry, failureIn } from '../daemon.ts'

const entry = daemonEntry.replace(/main\.ts$/, 'backup/main.ts')

interface Restored {
  readonly files: number
  readonly createdAt: number
  readonly host: string
  readonly version: string
  readonly aside?: string
}

/** The daemon's own program: it alone knows the state. */
const byChild = (context: Context, file: string, force: boolean): Promise<Restored> =>
  new Promise((done, fail) => {
    const args = ['--disable-sigusr1', '--', entry, '--state-dir', context.stateDir, ...(force ? ['--force'] : []), '--', file]
    const child = execFile(process.execPath, args, { env: { ...process.env, ...daemonCache } }, (error, stdout, stderr) => {
      if (error === null) done(JSON.parse(stdout))
      else fail(failureIn(stderr, child.pid) ?? new DayflyError('host', `the backup could not be restored: ${error.message}`, { cause: error }))
    })
  })

export const command: Command = {
  name: 'restore',
  takes: ['FILE'],
  summary: 'Bring back the state from a backup; no daemon may run on it.',
  details: [
    'All of the file is verified before anything is changed. A state that is there is refused, or with --force kept aside in the state folder; images stay. ' +
      'A crash in the middle is finished by the next daemon.',
    'Environments that lived when the backup was made, and do not any more, are then ended as lost; what runs and is not in it is removed by the next daemon.',
  ],
  options: [{ name: 'force', help: 'Also over a state that is there, which is kept aside.' }],
  examples: [['dayfly restore dayfly.tar.zst', 'into the default state folder']],
  run: async (context, args) => {
    const [file] = args.positionals
    if (file === undefined)
      throw new DayflyError('invalid', 'FILE: is missing', { field: 'FILE', remedy: '`dayfly restore --help` shows how it is used.' })
    const restored = await byChild(context, resolve(file), args.flag('force'))
    if (context.json) context.write(`${JSON.stringify(restored)}\n`)
    else {
      const { files, createdAt, host, version, aside } = restored
      context.say(`${files} files are restored, of ${new Date(createdAt).toISOString()}, ${host}, Dayfly ${version}`)
      if (aside !== undefined) context.say(`what was there is in ${aside}`)
    }
    return 0
  },
}
