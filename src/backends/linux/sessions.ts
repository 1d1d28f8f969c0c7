/** Execs and attaches: a connection of its own to the cell's monitor, which becomes the session. */
import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { settledWithin } from '../../base/abort.ts'
import { DayflyError } from '../../base/errors.ts'
import { newExecId } from '../../base/ids.ts'
import type { MonitorConnection } from '../../host/native/monitor.ts'
import { connectMonitor } from '../../host/native/monitor.ts'
import type { NativeSession } from '../../host/native/session.ts'
import { askedCapabilities } from '../../host/oci/capabilities.ts'
import { ociProcess, ociText } from '../../host/oci/config.ts'
import type { ExecRequest, Session } from '../../model/session.ts'
import type { Cell } from './cell.ts'
import type { ContainerMaker } from './containers.ts'
import { readOwner } from './owner.ts'
import { refusal } from './refusal.ts'

/** 2^64-1, for no limit, is more than a number can tell from its neighbours. */
const Limit = z.number().transform(value => (value > Number.MAX_SAFE_INTEGER ? undefined : value))

/** What an exec inherits from the container's first process, as config.json has it. */
const Inherited = z.object({
  process: z.object({
    user: z.object({ uid: z.int(), gid: z.int(), additionalGids: z.array(z.int()) }),
    env: z.array(z.string()),
    cwd: z.string(),
    capabilities: z.object({ ambient: z.array(z.string()), bounding: z.array(z.string()) }),
    rlimits: z.array(z.object({ type: z.string(), soft: Limit, hard: Limit })).default([]),
  }),
})

/** Ids of `USER[:GROUP]` in an instance. */
export const ownerWithin = async (cell: Cell, containers: ContainerMaker, owner: string): Promise<{ uid: number; gid: number }> => {
  const image = readOwner(cell.paths)?.image
  if (image === undefined) throw new DayflyError('wrong_state', 'it has ended', { field: 'ref' })
  return await containers.userOf(image, owner)
}

const processFor = async (cell: Cell, containers: ContainerMaker, request: ExecRequest) => {
  const { process } = Inherited.parse(JSON.parse(readFileSync(cell.paths.config, 'utf8')))
  const image = readOwner(cell.paths)?.image
  const user = request.user === undefined || image === undefined ? process.user : await containers.userOf(image, request.user)
  const env = Object.fromEntries(process.env.map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
  return ociProcess({
    args: request.command,
    env: { ...env, ...(request.tty ? { TERM: 'xterm' } : {}), ...request.env },
    user,
    cwd: request.workdir ?? process.cwd,
    terminal: request.tty,
    rows: request.rows,
    columns: request.columns,
    capabilities: askedCapabilities(process.capabilities.bounding),
    limits: process.rlimits.map(({ type, soft, hard }) => ({ name: type.replace(/^RLIMIT_/, '').toLowerCase(), soft, hard })),
  })
}

/** ms that the end of an instance is waited for when something in it fails as if it had ended. */
const endPatience = 1000

/**
 * Why a command did not start. A runtime that is interrupted by the end of the instance says only that its child is gone ("fail startup"), before anybody
 * has heard of that end.
 */
const explained = async (error: unknown, command: string, cell: Cell): Promise<unknown> => {
  const refused = refusal(error, command, `the command "${command}" could not be started`)
  if (!(refused instanceof DayflyError) || refused.code !== 'host' || !(await settledWithin(cell.exit, endPatience))) return refused
  return new DayflyError('wrong_state', `the instance ended while the command "${command}" was being started`, { cause: error })
}

const asSession = (native: NativeSession, command: string, cell: Cell): Session => {
  const exit = native.exit.catch(async error => {
    throw await explained(error, command, cell)
  })
  // Whoever only detaches never looks at it.
  exit.catch(() => undefined)
  return {
    write: stdin => native.write(stdin),
    drained: () => native.drained(),
    resize: (rows, columns) => native.resize(rows, columns),
    signal: name => native.signal(name),
    output: native.output,
    exit,
    [Symbol.asyncDispose]: () => native[Symbol.asyncDispose](),
  }
}

const connectTo = async (cell: Cell, signal: AbortSignal): Promise<MonitorConnection> => {
  try {
    return await connectMonitor(cell.paths.socket, { signal })
  } catch (error) {
    throw refusal(error, '', 'its monitor cannot be reached')
  }
}

export const openExec = async (cell: Cell, containers: ContainerMaker, request: ExecRequest, signal: AbortSignal): Promise<Session> => {
  const file = join(cell.paths.folder, `${newExecId()}.json`)
  const connection = await connectTo(cell, signal)
  try {
    await writeFile(file, ociText(await processFor(cell, containers, request)), { mode: 0o600 })
    const native = await connection.exec(file, request.tty ? 'tty' : 'pipes', request.rows, request.columns)
    const session = asSession(native, request.command[0] ?? '', cell)
    void session.exit.catch(() => undefined).then(() => rm(file, { force: true }))
    return session
  } catch (error) {
    await connection[Symbol.asyncDispose]()
    await rm(file, { force: true })
    throw await explained(error, request.command[0] ?? '', cell)
  }
}

export const openAttach = async (cell: Cell, signal: AbortSignal): Promise<Session> => {
  const connection = await connectTo(cell, signal)
  try {
    return asSession(await connection.attach(), 'attach', cell)
  } catch (error) {
    await connection[Symbol.asyncDispose]()
    throw refusal(error, '', 'its first process cannot be attached to')
  }
}
