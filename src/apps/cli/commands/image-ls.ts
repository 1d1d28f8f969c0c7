import { formatBytes } from '../../../base/bytes.ts'
import type { Command } from '../command.ts'
import { painter, printable, relative, shortDigest, table } from '../output.ts'

export const command: Command = {
  name: 'image ls',
  takes: [],
  summary: 'List images, newest first.',
  options: [{ name: 'quiet', short: 'q', help: 'Only digests.' }],
  examples: [['dayfly image ls', 'what is here']],
  run: async (context, args) => {
    const images = await context.client.images()
    if (context.json) context.write(`${JSON.stringify({ images })}\n`)
    else if (args.flag('quiet')) context.write(images.map(({ digest }) => `${digest}\n`).join(''))
    else {
      const now = Date.now()
      const rows = images.flatMap(image =>
        (image.names.length === 0 ? ['<none>'] : image.names).map(name => [
          printable(name),
          shortDigest(image.digest),
          `${image.platform.os}/${image.platform.architecture}`,
          formatBytes(image.size),
          relative(image.pulledAt, now),
        ]),
      )
      context.write(table(['NAME', 'DIGEST', 'PLATFORM', 'SIZE', 'PULLED'], rows, painter(context.colour)))
    }
    return 0
  },
}
