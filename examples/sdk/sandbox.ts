/** A sandbox for code that somebody else has written: files in, a command, files out, and it is gone at the end of the block. */
import { CommandExitError, Sandbox } from 'dayfly'

const image = process.argv[2] ?? 'demo'

await using sandbox = await Sandbox.create({ image, timeoutMs: 120_000, metadata: { task: 'sums' }, ports: [8080] })

await sandbox.files.write('/work/numbers.txt', '1\n2\n3\n')
const { stdout } = await sandbox.commands.run(`awk '{ sum += $1 } END { print sum }' numbers.txt | tee sum.txt`, { cwd: '/work' })
console.log(`the sum is ${stdout.trim()}; in the file: ${(await sandbox.files.read('/work/sum.txt')).trim()}`)

try {
  await sandbox.commands.run('cat /work/none')
} catch (error) {
  if (!(error instanceof CommandExitError)) throw error
  console.log(`exit code ${error.exitCode}: ${error.stderr.trim()}`)
}

await using watch = await sandbox.files.watch('/work')
await using server = await sandbox.commands.run('httpd -f -p 8080 -h /work', { background: true })
const host = await sandbox.getHost(8080)
for (let tries = 0; ; tries++) {
  const answer = await fetch(`http://${host}/sum.txt`).catch(() => undefined)
  if (answer?.ok) {
    console.log(`http://${host}/sum.txt says ${(await answer.text()).trim()}`)
    break
  }
  if (tries > 100 || server.exitCode !== undefined) throw new Error(`the server does not answer: ${server.stderr}`)
  await new Promise(resolve => setTimeout(resolve, 50))
}

await sandbox.commands.run('touch /work/done')
for await (const { type, path } of watch) {
  console.log(`${type} ${path}`)
  if (path === '/work/done') break
}
