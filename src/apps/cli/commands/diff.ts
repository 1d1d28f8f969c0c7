import { changeLines } from '../changes.ts'
import type { Command } from '../command.ts'
import { withDaemon } from '../daemon.ts'
import { painter } from '../output.ts'
import { diffOf, draftOptions, inWordsOfTheFile, projectRequest } from '../request.ts'

export const command: Command = {
  name: 'diff',
  takes: ['[FILE|SERVICE...]'],
  summary: 'Say what `dayfly up` with the same options would change.',
  details: [
    'Images that are not there are fetched, for they are part of what may differ; what has to be built first is taken as it was last built.',
    'Secrets whose content is another one than the last that was brought up are named; contents are not shown. Where they cannot be had here, they are not compared.',
  ],
  completion: 'service',
  options: [...draftOptions, { name: 'exit-code', help: 'Exit with 1 when something would change.' }],
  examples: [['dayfly diff', 'what an edit of compose.yaml comes to']],
  run: async (context, args) => {
    const planned = await projectRequest(context, args, 'secrets if they are to be had')
    const changes = await withDaemon(context, () => context.client.diff(diffOf(planned), () => {})).catch((error: unknown) => {
      throw inWordsOfTheFile(error, planned.loaded.project.services)
    })
    if (context.json) context.write(`${JSON.stringify({ changes })}\n`)
    else
      context.write(
        changeLines(changes, painter(context.colour))
          .map(line => `${line}\n`)
          .join(''),
      )
    return args.flag('exit-code') && changes.length > 0 ? 1 : 0
  },
}
