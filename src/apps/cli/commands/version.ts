import { readVersion } from '../../../base/version.ts'
import type { Command } from '../command.ts'
import { isUnreachable } from '../daemon.ts'

export const command: Command = {
  name: 'version',
  takes: [],
  summary: 'Print the versions of client and daemon.',
  options: [],
  examples: [],
  run: async context => {
    const client = { version: readVersion(), node: process.version }
    const daemon = await context.client.version().catch((error: unknown) => {
      if (isUnreachable(error)) return null
      throw error
    })
    if (context.json) context.write(`${JSON.stringify({ client, daemon })}\n`)
    else {
      const other =
        daemon === null
          ? 'daemon  none answers'
          : `daemon  ${daemon.version} (node ${daemon.node}, backend ${daemon.backend}, process ${daemon.pid}, state in ${daemon.stateDir})`
      context.write(`dayfly  ${client.version} (node ${client.node})\n${other}\n`)
    }
    return 0
  },
}
