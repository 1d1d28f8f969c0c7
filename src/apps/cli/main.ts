/** `dayfly`: finds the command, runs it, tells errors, returns the exit code. bin/dayfly starts it. */
delete process.env['NODE_COMPILE_CACHE'] // It was for this process; what it starts is told anew where that is wanted.

const words = process.argv.slice(2)
if (words.length === 1 && words[0] === '--version') {
  const { readVersion } = await import('../../base/version.ts')
  process.stdout.write(`dayfly ${readVersion()}\n`)
} else {
  const { dispatch } = await import('./dispatch.ts')
  process.exitCode = await dispatch(words)
}
