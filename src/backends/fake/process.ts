/** A process of the fake kernel: an interpreter of scripts, with stdin, signals and an exit status. */
import type { Agenda } from '../../base/agenda.ts'
import type { Clock } from '../../base/clock.ts'
import { signalNumber } from '../../base/signals.ts'
import type { Script } from '../../engine/backend.suite.ts'

export interface ProcessOptions {
  readonly clock: Clock
  readonly agenda: Agenda
  readonly script: Script
  /** The first process of a pid namespace ignores what it has no handler for, SIGKILL and SIGSTOP excepted. */
  readonly first: boolean
  readonly stdin: boolean
  readonly env: Readonly<Record<string, string>>
  readonly secrets: ReadonlyMap<string, Uint8Array>
  readonly onOutput: (stream: 'stdout' | 'stderr', data: Uint8Array) => void
  readonly onEnd: (end: End) => void
}

export interface End {
  readonly code: number
  readonly signal: number | undefined
  readonly oom: boolean
}

export interface FakeProcess {
  start(): void
  write(data: Uint8Array | null): void
  signal(name: string): void
  readonly alive: boolean
}

/** What a process without a handler does not end by. */
const harmless = new Set(['SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH'])

/** The script that a command stands for, or undefined when it is no command of this kernel. */
export const scriptOf = (command: readonly string[]): Script | undefined => {
  const [program, text] = command
  if (program !== 'fake' || text === undefined) return undefined
  const script: Script = JSON.parse(text)
  return script
}

export const commandOf = (script: Script): string[] => ['fake', JSON.stringify(script)]

export const createProcess = (options: ProcessOptions): FakeProcess => {
  const { clock, agenda, script, onOutput } = options
  const handlers = new Map<string, number>()
  const input: (Uint8Array | null)[] = options.stdin ? [] : [null]
  const encoder = new TextEncoder()
  let at = 0
  let state: 'new' | 'busy' | 'reading' | 'over' = 'new'
  let sleep: Disposable | undefined

  const end = (code: number, signal?: number, oom = false): void => {
    if (state === 'over') return
    state = 'over'
    sleep?.[Symbol.dispose]()
    options.onEnd({ code, signal, oom })
  }
  const byName = (name: string, oom = false): void => {
    const number = signalNumber(name) ?? 0
    end(128 + number, number, oom)
  }

  /** Copies what there is of stdin; true at its end. */
  const copied = (): boolean => {
    for (let piece = input.shift(); piece !== undefined; piece = input.shift()) {
      if (piece === null) return true
      onOutput('stdout', piece)
    }
    return false
  }

  const go = (): void => {
    while (state !== 'over') {
      state = 'busy'
      const action = script[at]
      if (!action) {
        end(0)
        return
      }
      if ('echo' in action && !copied()) {
        state = 'reading'
        return
      }
      at++
      if ('print' in action) onOutput(action.to ?? 'stdout', encoder.encode(action.print))
      else if ('lines' in action)
        onOutput('stdout', encoder.encode(Array.from({ length: action.lines }, (_, index) => `line ${index + 1}\n`).join('')))
      else if ('variable' in action) onOutput('stdout', encoder.encode(options.env[action.variable] ?? ''))
      else if ('secret' in action) onOutput('stdout', options.secrets.get(action.secret) ?? new Uint8Array())
      else if ('on' in action) handlers.set(action.on, action.exit)
      else if ('oom' in action) byName('SIGKILL', true)
      else if ('exit' in action) end(action.exit)
      else if ('sleep' in action) {
        sleep = agenda.at(clock.boot() + action.sleep, go)
        return
      }
    }
  }

  return {
    start: () => {
      if (state === 'new') go()
    },
    write: data => {
      input.push(data)
      if (state === 'reading') go()
    },
    signal: name => {
      if (state === 'over') return
      const handled = handlers.get(name)
      if (name === 'SIGKILL') byName(name)
      else if (handled !== undefined) end(handled)
      else if (!options.first && !harmless.has(name)) byName(name)
    },
    get alive() {
      return state === 'busy' || state === 'reading'
    },
  }
}
