import type { InstanceView } from '../../../api/schemas/environments.ts'
import type { Command, Context } from '../command.ts'

const waitFor = (context: Context, ref: string): Promise<InstanceView> => {
  const [environment = '', workload, ...more] = ref.split('/')
  return workload === undefined || more.length > 0 ? context.client.wait(ref) : context.client.exited(environment, workload)
}

export const command: Command = {
  name: 'wait',
  takes: ['REF...'],
  summary: 'Wait until instances end, and print their exit codes.',
  details: ['ENVIRONMENT/WORKLOAD is over when its instance has ended and is not restarted.'],
  completion: 'instance',
  options: [],
  examples: [
    ['dayfly wait batch', 'prints e.g. 0'],
    ['dayfly wait shop/migrate', 'one workload of an environment'],
  ],
  run: async (context, args) => {
    const instances = await Promise.all(args.positionals.map(ref => waitFor(context, ref)))
    if (context.json) context.write(`${JSON.stringify({ instances })}\n`)
    else context.write(instances.map(({ exit }) => `${exit?.code ?? 'unknown'}\n`).join(''))
    return 0
  },
}
