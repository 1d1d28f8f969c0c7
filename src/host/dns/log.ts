/**
 * The log of a resolver: a named pipe, which the resolver itself keeps open for reading too. So it never blocks and never breaks when nobody reads; while
 * no daemon lives the pipe keeps the first 64 KiB, and the resolver counts what it then drops.
 */
import { constants, openSync } from 'node:fs'
import { Socket } from 'node:net'

export interface LogReader extends AsyncDisposable {
  /** The last lines that are not about a question, for an error's message. */
  readonly tail: readonly string[]
}

const longestLine = 4096
const tailLength = 20
/** `dnsmasq[4711]: 12 10.208.0.2/33333 query[A] ...` */
const aboutQuestion = /^dnsmasq\[\d+\]: \d+ \S+\/\d+ /

/** Whole lines come to `line`. The pipe must exist. */
export const readLog = (path: string, line: (text: string) => void): LogReader => {
  // For writing too, or else it would end whenever no resolver runs.
  const socket = new Socket({ fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK), readable: true, writable: false })
  const tail: string[] = []
  let rest = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = (lines.pop() ?? '').slice(0, longestLine)
    for (const text of lines) {
      line(text)
      if (aboutQuestion.test(text)) continue
      tail.push(text)
      if (tail.length > tailLength) tail.shift()
    }
  })
  socket.on('error', () => socket.destroy())
  // A log keeps no process alive.
  socket.unref()
  return {
    tail,
    [Symbol.asyncDispose]: () =>
      new Promise(resolve => {
        if (socket.destroyed) resolve()
        else socket.once('close', () => resolve()).destroy()
      }),
  }
}
