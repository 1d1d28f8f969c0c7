/** Network namespaces for a test, each held by a process of its own: nothing is mounted, and all is gone with the processes. */
import type { ChildProcess } from 'node:child_process'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readlinkSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { HostFiles } from '../../../src/host/nft/forwarding.ts'
import { until } from '../monitor/patience.ts'
import type { Question, Reply } from '../names/question.ts'
import type { Request, Target } from './agent.ts'

/** Long enough for an answer on one machine under load; what is closed is waited for in full. */
const patience = 5000
const silence = 400

export interface Space extends AsyncDisposable {
  readonly pid: number
  /** A command that runs what follows it in the namespace. */
  readonly enter: readonly string[]
  /** Lines as for `ip -batch`. */
  ip(...lines: readonly string[]): void
  sh(script: string): string
  readonly files: HostFiles
  listen(protocol: 'tcp' | 'udp', port: number, address: string): Promise<void>
  /** The address that the other side sees. */
  reach(target: Target): Promise<string>
  /** What comes of it in a short time: `silence`, or the answer or error that is none. */
  outcome(target: Target): Promise<string>
  open(target: Target): Promise<void>
  /** Ends it: what is not acknowledged would be sent again, through whatever firewall is there by then. */
  hangUp(): Promise<void>
  say(text: string): Promise<string>
  isMute(): Promise<boolean>
  /** Sends to whoever connected last. */
  push(text: string): Promise<void>
  /** All that came in on the connection that `open` made. */
  heard(): Promise<string>
  arrivals(): Promise<readonly string[]>
  /** undefined: no reply came; `briefly`: in a short time, where none is expected. */
  inquire(question: Question, briefly?: 'briefly'): Promise<Reply | undefined>
}

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

export const makeSpace = async (): Promise<Space> => {
  const holder = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' })
  await once(holder, 'spawn')
  const pid = holder.pid ?? 0
  const own = readlinkSync('/proc/self/ns/net')
  await until('the namespace', () => readlinkSync(`/proc/${pid}/ns/net`) !== own)
  const enter = ['nsenter', `--net=/proc/${pid}/ns/net`]
  const run = (command: readonly string[], input = ''): string => {
    const [program = '', ...args] = [...enter, ...command]
    return execFileSync(program, args, { encoding: 'utf8', input, stdio: 'pipe' })
  }

  const [program = '', ...args] = [...enter, process.execPath, fileURLToPath(new URL('agent.ts', import.meta.url))]
  const agent = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting = new Map<number, { resolve: (answer: string) => void; reject: (error: Error) => void }>()
  let lastId = 0
  createInterface({ input: agent.stdout }).on('line', line => {
    const { id, answer, failure }: { id: number; answer?: string; failure?: string } = JSON.parse(line)
    const request = waiting.get(id)
    waiting.delete(id)
    if (answer !== undefined) request?.resolve(answer)
    else request?.reject(new Error(failure))
  })
  let ended = false
  agent.once('exit', () => {
    ended = true
    for (const { reject } of waiting.values()) reject(new Error('the agent ended'))
  })
  const request = (wish: Request): Promise<string> => {
    if (ended) return Promise.reject(new Error('the agent ended'))
    const id = ++lastId
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    waiting.set(id, { resolve, reject })
    agent.stdin.write(`${JSON.stringify({ id, request: wish })}\n`)
    return promise
  }
  const outcome = (wish: Request): Promise<string> =>
    request(wish).catch((error: unknown) => (error instanceof Error ? error.message : String(error)))

  run(['ip', 'link', 'set', 'lo', 'up'])
  return {
    pid,
    enter,
    ip: (...lines) => void run(['ip', '-batch', '-'], lines.join('\n')),
    sh: script => run(['sh', '-c', script]).trim(),
    files: {
      read: async path => run(['cat', path]),
      write: async (path, text) => {
        const [nsenter = '', ...rest] = enter
        // As writeFile does it: by one system call, with its errno.
        const script = 'require("node:fs").writeFileSync(process.argv[1], process.argv[2])'
        try {
          execFileSync(nsenter, [...rest, process.execPath, '-e', script, path, text], { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
        } catch (error) {
          throw Object.assign(new Error(`writing ${path}`, { cause: error }), { code: String(error).includes('ENOENT') ? 'ENOENT' : 'EIO' })
        }
      },
    },
    listen: async (protocol, port, address) => void (await request({ op: 'listen', protocol, host: address, port })),
    reach: target => request({ op: 'ask', target, wait: patience }),
    outcome: target => outcome({ op: 'ask', target, wait: silence }),
    open: async target => void (await request({ op: 'open', target, wait: patience })),
    hangUp: async () => void (await request({ op: 'hangUp' })),
    say: text => request({ op: 'say', text, wait: patience }),
    isMute: async () => (await outcome({ op: 'say', text: 'still there?', wait: silence })) === 'silence',
    push: async text => void (await request({ op: 'push', text })),
    heard: () => request({ op: 'heard' }),
    inquire: async (question, briefly) => {
      const reply = await outcome({ op: 'inquire', question, wait: briefly === undefined ? patience : silence })
      return reply.startsWith('{') ? JSON.parse(reply) : undefined
    },
    arrivals: async () => (await request({ op: 'arrivals' })).split(' ').filter(address => address !== ''),
    async [Symbol.asyncDispose]() {
      await Promise.all([end(agent), end(holder)])
    },
  }
}
