import type { Command } from '../command.ts'

export const command: Command = {
  name: 'image unblock',
  takes: ['DIGEST...'],
  summary: 'Let images be admitted again that a detection or somebody has blocked.',
  options: [],
  examples: [['dayfly image unblock sha256:4bcf…', 'as dayfly image blocked lists it']],
  run: async (context, args) => {
    const images = []
    for (const digest of args.positionals) images.push(await context.client.unblockImage(digest))
    context.write(context.json ? `${JSON.stringify({ images })}\n` : images.map(({ digest }) => `${digest}\n`).join(''))
    return 0
  },
}
