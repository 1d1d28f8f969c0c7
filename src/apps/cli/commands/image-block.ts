import { DayflyError } from '../../../base/errors.ts'
import type { Command } from '../command.ts'

export const command: Command = {
  name: 'image block',
  takes: ['IMAGE...'],
  summary: 'Block images: no start of them is admitted any more, whatever policy says.',
  details: [
    'By digest: a name that is moved to another image later is not blocked by it, and other names of the same image are. What runs goes on; its instances are not replaced by new ones. A digest of an image that is not here may be blocked, too.',
  ],
  completion: 'image',
  options: [{ name: 'reason', value: 'TEXT', help: 'Why: everybody who is refused reads it.' }],
  examples: [['dayfly image block shop:1.2 --reason "INC-42: drops a miner"', 'until somebody unblocks it']],
  run: async (context, args) => {
    const reason = args.text('reason')
    if (reason === undefined || reason.trim() === '') {
      throw new DayflyError('invalid', '--reason: is missing', { field: '--reason', remedy: 'Say why, for those who are refused.' })
    }
    const images = []
    for (const image of args.positionals) images.push(await context.client.blockImage(image, reason))
    context.write(context.json ? `${JSON.stringify({ images })}\n` : images.map(({ digest }) => `${digest}\n`).join(''))
    return 0
  },
}
