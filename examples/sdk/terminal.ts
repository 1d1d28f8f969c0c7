/** A terminal in a sandbox. */
import { Sandbox } from 'dayfly'

const image = process.argv[2] ?? 'demo'

await using sandbox = await Sandbox.create({ image })
let screen = ''
const terminal = await sandbox.pty.create({
  cols: 80,
  rows: 24,
  onData: data => {
    screen += new TextDecoder().decode(data)
  },
})
await terminal.sendInput('tty && stty size\n')
while (!screen.includes('24 80')) await new Promise(resolve => setTimeout(resolve, 20))
terminal.resize({ cols: 132, rows: 43 })
await terminal.sendInput('stty size; exit 5\n')
const code = await terminal.wait()
if (!screen.includes('43 132') || code !== 5) throw new Error(`${code}: ${screen}`)
console.log(`a terminal of 80 columns, then of 132; exit code ${code}`)
