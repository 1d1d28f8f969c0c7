/**
 * One resolver: a dnsmasq of its own for the names of one bridge. It outlives the daemon; `ensure` makes it be there and serve what is wanted,
 * whatever was there before: nothing, one that an earlier daemon left, one with other names, one that was killed.
 *
 *   <folder>/dnsmasq.conf   fixed while it runs: another one means another process
 *   <folder>/hosts          names inside. One of them names the state of the files, so that one can see what is served
 *   <folder>/servers        which domains are asked of whom
 *   <folder>/log            a named pipe
 *
 * Changes are whole: dnsmasq reads both files in one go, between two questions. When `ensure` resolves, no question is answered by the old ones.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DayflyError, errnoOf } from '../../base/errors.ts'
import type { ResolverFiles, ResolverPlace, ResolverSpec } from './config.ts'
import { resolverFiles } from './config.ts'
import { stateSuffix } from './hosts.ts'
import type { LogReader } from './log.ts'
import { readLog } from './log.ts'
import type { ProcessIdentity } from './processes.ts'
import { forksOf, isAlive, resolverProcesses } from './processes.ts'
import type { Ask } from './query.ts'
import type { AnsweredQuestion, Questions } from './questions.ts'
import { createQuestions } from './questions.ts'
import type { Refusals } from './refusals.ts'
import { createRefusals } from './refusals.ts'

export interface ResolverHost {
  /** Path of dnsmasq. */
  readonly program: string
  /** Whom it becomes: a name, and the same as a number. */
  readonly user: string
  readonly uid: number
  /** Makes a named pipe, unless it is there. */
  readonly makePipe: (path: string) => Promise<void>
  /** Starts a program that outlives us, with the named pipe as its stderr. */
  readonly spawn: (log: string, program: string, args: readonly string[]) => Promise<ProcessIdentity>
  /** Errors have the errno's name as `errno`: `ESRCH` when that process is gone. */
  readonly kill: (process: ProcessIdentity, signal: number) => Promise<void>
  readonly ask: Ask
  /** Is told of each question that came to a resolver, by the resolver's name. */
  readonly onQuestion?: (name: string, question: AnsweredQuestion) => void
}

export interface Resolver extends AsyncDisposable {
  /** Calls are carried out one after the other. Throws `invalid` for a bad specification, `host` when dnsmasq cannot be started, with what it says. */
  ensure(spec: ResolverSpec): Promise<'kept' | 'changed' | 'started'>
  /** Forgets the answers that it keeps: what their addresses opened is gone, and they must be asked for again. */
  refresh(): Promise<void>
  /** What instances asked for in vain since the last call. */
  refused(): ReturnType<Refusals['take']>
  /** Nothing of it is left. Idempotent. */
  end(): Promise<void>
}

/** ms for dnsmasq to answer after its start, and after a signal. */
const patience = 5000
const [sighup, sigkill] = [1, 9]

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** The resolver reads them as another user. */
const replace = (path: string, text: string): void => {
  writeFileSync(`${path}.new`, text, { mode: 0o644 })
  renameSync(`${path}.new`, path)
}

const stateLine = new RegExp(`^127\\.0\\.0\\.1 ([0-9a-f]{16})\\.${stateSuffix.replaceAll('.', '\\.')}\n`)
const withState = (hosts: string, state: string): string => `127.0.0.1 ${state}.${stateSuffix}\n${hosts}`
const newState = (): string => randomBytes(8).toString('hex')

export const placeOf = (folder: string): ResolverPlace => ({
  config: join(folder, 'dnsmasq.conf'),
  hosts: join(folder, 'hosts'),
  servers: join(folder, 'servers'),
  log: join(folder, 'log'),
})

/** `root`: the folder of all resolvers, which must exist and let others through. */
export const openResolver = (root: string, name: string, host: ResolverHost): Resolver => {
  const folder = join(root, name)
  const place = placeOf(folder)
  let process: ProcessIdentity | undefined
  let listen: string | undefined
  let log: LogReader | undefined
  let refusals: Refusals | undefined
  let questions: Questions | undefined

  const own = (): readonly (ProcessIdentity & { readonly fork: boolean })[] => resolverProcesses(root, host.uid).filter(found => found.name === name)
  const running = (): ProcessIdentity | undefined => {
    if (process === undefined || !isAlive(process)) process = own().find(({ fork }) => !fork)
    return process
  }

  const follow = async (server: string): Promise<LogReader> => {
    await host.makePipe(place.log)
    if (log === undefined || listen !== server) {
      await log?.[Symbol.asyncDispose]()
      const fresh = createRefusals(server)
      refusals = fresh
      const { onQuestion } = host
      questions?.[Symbol.dispose]()
      const asked = onQuestion === undefined ? undefined : createQuestions(server, question => onQuestion(name, question))
      questions = asked
      log = readLog(place.log, line => {
        fresh.add(line)
        asked?.add(line)
      })
      listen = server
    }
    return log
  }

  /** Until it serves that state of its files. */
  const confirm = async (server: string, state: string, reader: LogReader): Promise<void> => {
    for (const end = performance.now() + patience; ; await sleep(2)) {
      if ((await host.ask(server, `${state}.${stateSuffix}`, 500))?.length === 1) return
      const alive = running() !== undefined
      if (alive && performance.now() < end) continue
      await sleep(20) // Its last words may still be in the pipe.
      const said =
        reader.tail.findLast(line => /failed|cannot|error|denied|unknown|bad |illegal/i.test(line)) ?? reader.tail.at(-1) ?? 'it said nothing'
      throw new DayflyError('host', `the resolver ${name} ${alive ? 'does not answer' : 'has ended'} on ${server}: ${said}`, {
        remedy: `See that nothing else on this host listens on port 53 of all addresses, and that no AppArmor profile keeps dnsmasq from reading ${folder}.`,
      })
    }
  }

  const signal = async (identity: ProcessIdentity, number: number): Promise<void> => {
    try {
      await host.kill(identity, number)
    } catch (error) {
      if (!(error instanceof Error && 'errno' in error && error.errno === 'ESRCH')) throw error
    }
  }

  /** Forks too, or else they would go on answering by the old names. */
  const stop = async (): Promise<void> => {
    for (let left = own(); left.length > 0; left = own()) {
      await Promise.all(left.map(each => signal(each, sigkill)))
      await sleep(1)
    }
    process = undefined
  }

  /** Without looking through all processes of the host where we know which one it is: many environments may end at once. */
  const stopKnown = async (): Promise<void> => {
    const main = process
    if (main === undefined || !isAlive(main)) return stop()
    const all = [main, ...forksOf(main)]
    await Promise.all(all.map(each => signal(each, sigkill)))
    while (all.some(isAlive)) await sleep(1)
    process = undefined
  }

  const start = async (server: string, files: ResolverFiles): Promise<void> => {
    await stop()
    mkdirSync(folder, { recursive: true, mode: 0o711 })
    const state = newState()
    replace(place.hosts, withState(files.hosts, state))
    replace(place.servers, files.servers)
    replace(place.config, files.config)
    const reader = await follow(server)
    process = await host.spawn(place.log, host.program, [`--conf-file=${place.config}`])
    try {
      await confirm(server, state, reader)
    } catch (error) {
      await stop()
      throw error
    }
  }

  const reload = async (server: string, living: ProcessIdentity, hosts: string): Promise<void> => {
    const state = newState()
    replace(place.hosts, withState(hosts, state))
    await signal(living, sighup)
    await confirm(server, state, await follow(server))
  }

  const ensure: Resolver['ensure'] = async spec => {
    const files = resolverFiles(spec, place, host.user)
    const living = running()
    if (living === undefined || read(place.config) !== files.config) {
      await start(spec.listen, files)
      return 'started'
    }
    await follow(spec.listen)
    const hosts = read(place.hosts) ?? ''
    const state = stateLine.exec(hosts)?.[1]
    const same = hosts.replace(stateLine, '') === files.hosts && read(place.servers) === files.servers
    // A daemon may have been killed between writing and telling.
    if (same && state !== undefined && (await host.ask(spec.listen, `${state}.${stateSuffix}`, 500))?.length === 1) return 'kept'
    replace(place.servers, files.servers)
    try {
      await reload(spec.listen, living, files.hosts)
      return 'changed'
    } catch (error) {
      if (running() !== undefined) throw error
      // It was just ending when it was looked at.
      await start(spec.listen, files)
      return 'started'
    }
  }

  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work)
    last = result.catch(() => undefined)
    return result
  }

  const stopReading = async (): Promise<void> => {
    await log?.[Symbol.asyncDispose]()
    log = undefined
    questions?.[Symbol.dispose]()
    questions = undefined
  }

  return {
    ensure: spec => inTurn(() => ensure(spec)),
    refresh: () =>
      inTurn(async () => {
        const living = running()
        const hosts = read(place.hosts)
        if (living !== undefined && hosts !== undefined && listen !== undefined) await reload(listen, living, hosts.replace(stateLine, ''))
      }),
    refused: () => refusals?.take() ?? { names: [], lost: 0 },
    end: () =>
      inTurn(async () => {
        await stopKnown()
        await stopReading()
        rmSync(folder, { recursive: true, force: true })
      }),
    // The process outlives us as the instances do.
    [Symbol.asyncDispose]: () => inTurn(stopReading),
  }
}
