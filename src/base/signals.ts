/** Signals by name, with SIG; numbers of Linux on x86-64 and arm64. Node's own table lacks the real-time ones, which images ask for as a stop signal. */
const numbers = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
} as const

const firstRealTime = 34
const lastRealTime = 64

const isOrdinary = (name: string): name is keyof typeof numbers => Object.hasOwn(numbers, name)

/** The number of `SIGTERM`, `SIGRTMIN+3` or `SIGRTMAX-1`, or undefined when there is no such signal. */
export const signalNumber = (name: string): number | undefined => {
  if (isOrdinary(name)) return numbers[name]
  const found = /^SIGRT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name)
  if (!found) return undefined
  const base = found[1] === 'MIN' ? firstRealTime : lastRealTime
  const number = base + Number(`${found[2] ?? '+'}${found[3] ?? 0}`)
  return number >= firstRealTime && number <= lastRealTime ? number : undefined
}

/** Names by number: the ordinary ones. */
export const signalNames: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(numbers).map(([name, number]) => [number, name]))
