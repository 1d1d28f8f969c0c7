/** What is run while the daemon is being killed, and what each must have left behind, whatever happened to the daemon. */
import type { RunInput } from '../../../src/api/schemas/environments.ts'
import type { Random } from './random.ts'

export interface Job {
  readonly name: string
  readonly kind: 'lines' | 'deadline' | 'stopped' | 'exec'
  readonly run: RunInput
  /** Why its log and exit code cannot be right, given that it ran; empty when they are. `ended`: somebody ended it before its own end. */
  faults(log: string, code: number, ended: boolean): string[]
}

const numbered = (log: string): string[] => log.split('\n').filter(line => line.startsWith('line '))

/** Faults of lines that must be `line 0`, `line 1`, …, `count` of them (or as many as there are when `count` is undefined). */
const lineFaults = (log: string, count: number | undefined): string[] => {
  const lines = numbered(log)
  const wrong = lines.findIndex((line, index) => line !== `line ${index}`)
  if (wrong >= 0) return [`line ${wrong} of the log is ${JSON.stringify(lines[wrong])}`]
  return count !== undefined && lines.length !== count ? [`${lines.length} of ${count} lines are in the log`] : []
}

const expectCode = (code: number, ...expected: number[]): string[] =>
  expected.includes(code) ? [] : [`exit code ${code} instead of ${expected.join(' or ')}`]

/** 128 + SIGTERM, 128 + SIGKILL: how it looks when somebody ended it. */
const endedCodes = [143, 137]

const shell = (script: string): string[] => ['/bin/sh', '-c', script]

/** Prints numbered lines and exits with a code of its own. */
const lines = (name: string, random: Random): Job => {
  const count = random.pick([0, 1, 20, 300, 3000])
  const code = random.pick([0, 0, 1, 3, 42, 255])
  const pause = count <= 20 && random.chance(0.7) ? 'sleep 0.05; ' : ''
  return {
    name,
    kind: 'lines',
    run: { image: 'churn', name, command: shell(`i=0; while [ $i -lt ${count} ]; do echo line $i; ${pause}i=$((i+1)); done; exit ${code}`) },
    faults: (log, got, ended) =>
      ended && endedCodes.includes(got) ? lineFaults(log, undefined) : [...expectCode(got, code), ...lineFaults(log, count)],
  }
}

/** Milliseconds that may pass between the end of a lease and the last instruction, on a loaded machine. */
const slack = 4000

/** Never ends by itself: prints the machine's uptime, which no clock of a test moves, until its lease ends it. */
const deadline = (name: string, random: Random): Job => {
  const ttl = random.between(1500, 4000)
  const grace = 300
  return {
    name,
    kind: 'deadline',
    run: { image: 'churn', name, lease: { ttl }, grace, command: shell('while :; do read up rest </proc/uptime; echo $up; sleep 0.1; done') },
    faults: (log, code) => {
      const times = log
        .trim()
        .split('\n')
        .filter(line => /^\d+\.\d+$/.test(line))
        .map(Number)
      const lived = ((times.at(-1) ?? 0) - (times[0] ?? 0)) * 1000
      return [...expectCode(code, ...endedCodes), ...(lived > ttl + grace + slack ? [`lived ${lived} ms with a ttl of ${ttl} ms`] : [])]
    },
  }
}

/** Ends with 7 when it is asked to. */
const stopped = (name: string): Job => ({
  name,
  kind: 'stopped',
  run: {
    image: 'churn',
    name,
    lease: { ttl: 20_000 },
    grace: 5000,
    command: shell('trap "echo line 1; exit 7" TERM; echo line 0; while :; do sleep 0.05; done'),
  },
  faults: (log, code) => {
    const count = numbered(log).length
    // Stopped before its trap was set, or by the daemon's end with force: the signal's own code.
    return [...expectCode(code, ...(count === 2 ? [7] : endedCodes)), ...lineFaults(log, undefined)]
  },
})

/** Sleeps; commands are run in it. */
const exec = (name: string): Job => ({
  name,
  kind: 'exec',
  run: { image: 'churn', name, lease: { ttl: 20_000 }, grace: 100, command: shell('echo line 0; exec sleep 60') },
  faults: (log, code) => [...expectCode(code, ...endedCodes), ...lineFaults(log, undefined)],
})

export const nextJob = (name: string, random: Random): Job => random.pick([lines, lines, lines, deadline, stopped, exec])(name, random)
