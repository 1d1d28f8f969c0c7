import { spawn } from 'node:child_process'
import type { Command } from '../command.ts'
import { withDaemon } from '../daemon.ts'

/** Whether somebody may see what is opened. Root's own browser is none. */
const hasScreen = (env: Readonly<Record<string, string | undefined>>): boolean =>
  (env['DISPLAY'] ?? env['WAYLAND_DISPLAY'] ?? '') !== '' && process.getuid?.() !== 0

export const command: Command = {
  name: 'console',
  takes: [],
  summary: 'Print the address of the console with a code that signs in, and open it where there is a screen.',
  details: [
    'The code is good once, for two minutes; the session that it opens for 12 hours, with the rights of whoever asks. Without --listen the daemon serves it on the loopback from then on.',
    'The first time a browser does not know the certificate: compare the fingerprint.',
  ],
  options: [{ name: 'no-open', help: 'Only print it.' }],
  examples: [['dayfly console', 'and everything is on screen']],
  run: async (context, args) => {
    const session = await withDaemon(context, () => context.client.sessionCode())
    if (context.json) context.write(`${JSON.stringify(session)}\n`)
    else {
      context.write(`${session.url}\n`)
      context.say(`certificate sha256:${session.fingerprint}`)
      if (!args.flag('no-open') && hasScreen(context.env)) {
        const opener = spawn('xdg-open', [session.url], { detached: true, stdio: 'ignore' })
        opener.once('error', () => {}) // The address stands above.
        opener.unref()
      }
    }
    return 0
  },
}
