/** One command in a container of its own; nothing of it is left but its record. */
import { run } from 'dayfly'

const image = process.argv[2] ?? 'demo'

const { exitCode, stdout, environment } = await run(image, ['sh', '-c', 'echo "$GREETING from $(hostname)"; exit 3'], {
  name: 'greeter',
  envs: { GREETING: 'hello' },
  timeoutMs: 60_000,
})
console.log(`${stdout.trim()}: exit code ${exitCode}, ${environment.state}`)
if (exitCode !== 3) throw new Error(`exit code ${exitCode}`)
