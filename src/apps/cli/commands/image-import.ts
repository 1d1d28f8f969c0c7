import { resolve } from 'node:path'
import { passedOn } from '../arguments.ts'
import type { Command } from '../command.ts'
import { withDaemon } from '../daemon.ts'
import { createProgress } from '../progress.ts'

export const command: Command = {
  name: 'image import',
  takes: ['PATH', 'NAME', '[COMMAND...]'],
  summary: 'Make an image of a root file system: a folder, or a tar archive (plain, gzip, zstd).',
  details: ['COMMAND is what it runs by default; without one its shell, where it has one.'],
  completion: 'file',
  options: [],
  examples: [
    ['dayfly image import rootfs.tar.zst base', 'from an archive'],
    ['dayfly image import ./rootfs app:1 -- /srv/app --port 80', 'from a folder, with a command'],
  ],
  run: async (context, args) => {
    const [path = '', name = '', ...rest] = args.positionals
    const { words } = passedOn(['', ...rest])
    const progress = process.stderr.isTTY && !context.json ? createProgress(name) : undefined
    const request = { path: resolve(path), name, ...(words.length === 0 ? {} : { command: [...words] }) }
    const image = await withDaemon(context, () => context.client.importImage(request, progress?.show ?? (() => {}))).finally(() => progress?.clear())
    context.write(context.json ? `${JSON.stringify(image)}\n` : `${image.digest}\n`)
    return 0
  },
}
