/** What was asked of a resolver and what it answered, from its log: each question once its answers are there. */

export interface AnsweredQuestion {
  /** Who asked, and from which port. */
  readonly source: string
  readonly port: number
  readonly name: string
  /** `A`, `TXT`, ... */
  readonly type: string
  /** Addresses and other values, or `NXDOMAIN`, `REFUSED`, `SERVFAIL`, `NODATA`; none when the log did not tell any. */
  readonly answers: readonly string[]
  /** Wall ms at which the log told of it. */
  readonly time: number
}

export interface Questions extends Disposable {
  /** Takes a line of the log. */
  add(line: string): void
  /** Tells those that are complete by `now`. By itself it does that several times a second. */
  look(now: number): void
}

/** Questions that wait for their answers, and answers of one. */
const mostOpen = 2_000
const mostAnswers = 32
/** ms: an answer of several values is logged at once; one that did not come by then has got lost on the way. */
const quiet = 50
const patience = 10_000
const lookInterval = 50

/** What the server itself writes for a name with other letters than printable ones; and here for one that its log does not tell. */
const unprintable = '<name unprintable>'

/** A name is whatever an instance asks for, with spaces, ` from ` and ` is ` in it, too: where it ends is known by what must follow it. */
const entry = /^dnsmasq\[\d+\]: (\d+ (\S+)\/(\d+)) (?:(query)(?:\[([^\]]+)\] (.+) from \2$)?|(?:reply|cached\S*|config|rpz|\/\S*) (.+))/

interface Open {
  readonly question: Omit<AnsweredQuestion, 'answers'>
  readonly answers: string[]
  last: number
}

/** `NODATA-IPv4` and the like say which kind there is nothing of. */
const answerOf = (text: string): string | undefined => {
  if (text.startsWith('NODATA')) return 'NODATA'
  // A name that stands for another: what that is comes in the next line.
  return text === '<CNAME>' ? undefined : text
}

/** The value that `<name> is <value> …` tells: of the name that was asked for, or of one that it stands for. */
const toldOf = (text: string, asked: string): string | undefined => {
  const head = `${asked} is `
  return text.startsWith(head) ? /^\S+/.exec(text.slice(head.length))?.[0] : /^\S+ is (\S+)/.exec(text)?.[1]
}

/** `own`: the server's own address; what it asks itself is no instance's question. */
export const createQuestions = (own: string, tell: (question: AnsweredQuestion) => void): Questions => {
  const open = new Map<string, Open>()
  let timer: NodeJS.Timeout | undefined

  const close = (key: string, { question, answers }: Open): void => {
    open.delete(key)
    tell({ ...question, answers })
  }

  const look = (now: number): void => {
    for (const [key, one] of open) {
      const over = one.answers.length > 0 ? now - one.last >= quiet : now - one.last >= patience
      if (over) close(key, one)
    }
    if (open.size === 0) {
      clearInterval(timer)
      timer = undefined
    }
  }

  return {
    look,
    add: line => {
      const [, key, source, port, query, type = 'unknown', name = unprintable, told] = entry.exec(line) ?? []
      if (key === undefined || source === undefined || source === own) return
      const now = Date.now()
      if (query !== undefined) {
        const [first] = open.size >= mostOpen ? open : []
        if (first !== undefined) close(...first)
        open.set(key, { question: { source, port: Number(port), name, type, time: now }, answers: [], last: now })
        timer ??= setInterval(() => look(Date.now()), lookInterval).unref()
        return
      }
      const one = open.get(key)
      const value = one === undefined || told === undefined ? undefined : toldOf(told, one.question.name)
      const answer = value === undefined ? undefined : answerOf(value)
      if (one === undefined || answer === undefined) return
      one.last = now
      if (one.answers.length < mostAnswers && !one.answers.includes(answer)) one.answers.push(answer)
    },
    [Symbol.dispose]: () => {
      clearInterval(timer)
      for (const [key, one] of open) close(key, one)
    },
  }
}
