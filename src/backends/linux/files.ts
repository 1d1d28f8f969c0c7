/**
 * Files of instances. An instance has the program dayfly-files mounted where no image has anything, read-only, and it is started in there as every exec is: with
 * the user, the limits, the namespaces and the system call filter of the instance. So no path and no link, whatever becomes of it meanwhile, leads anywhere that the
 * instance could not go by itself; and what comes back is believed as little as the instance is. gVisor's instances are no exception.
 */
import { posix } from 'node:path'
import { abortError, onAbort } from '../../base/abort.ts'
import { DayflyError } from '../../base/errors.ts'
import { createFrameReader, decodeFields } from '../../host/native/framing.ts'
import type { FileChange, FileEntry, Files, Making } from '../../model/file.ts'
import { FileChange as FileChangeSchema, FileEntry as FileEntrySchema } from '../../model/file.ts'
import type { ExecRequest, Session } from '../../model/session.ts'

/** In /dev, where no image has anything. */
export const filesProgram = '/dev/dayfly-files'

/** ms without an answer after which it is given up: a process of the instance's may have stopped it. */
const patience = 30_000
const pieceBytes = 64 * 1024

export const filesRequest = (args: readonly string[], user: string | undefined): ExecRequest => ({
  command: [filesProgram, ...args],
  env: {},
  user,
  workdir: '/',
  tty: false,
  rows: 0,
  columns: 0,
})

export interface FilesOptions {
  /** Starts dayfly-files with these arguments. */
  readonly exec: (args: readonly string[]) => Promise<Session>
  /** Ids of `USER[:GROUP]`, by the image. */
  readonly idsOf: (owner: string) => Promise<{ readonly uid: number; readonly gid: number }>
  /** Aborted, whatever is under way is given up. */
  readonly signal: AbortSignal
}

const codes: Readonly<
  Record<string, { readonly code: 'not_found' | 'invalid' | 'denied' | 'exhausted' | 'conflict' | 'aborted'; readonly remedy?: string }>
> = {
  ENOENT: { code: 'not_found', remedy: 'Check the path; `parents` makes folders that are missing.' },
  ENOTDIR: { code: 'invalid', remedy: 'Something on the way, or at its end, is no folder.' },
  EISDIR: { code: 'invalid', remedy: 'Name a file, or list the folder.' },
  EINVAL: { code: 'invalid' },
  ELOOP: { code: 'invalid', remedy: 'Its links lead in a circle.' },
  ENAMETOOLONG: { code: 'invalid' },
  ENOTEMPTY: { code: 'conflict', remedy: 'Remove it with `recursive`.' },
  EXDEV: { code: 'invalid', remedy: 'The two are on different file systems: write it anew, and remove the old one.' },
  EEXIST: { code: 'conflict' },
  EBUSY: { code: 'conflict', remedy: 'Something is mounted there; it cannot be replaced or removed.' },
  ETXTBSY: { code: 'conflict', remedy: 'It is being executed.' },
  EACCES: { code: 'denied', remedy: 'Do it as another user of the instance, e.g. root.' },
  EPERM: { code: 'denied', remedy: 'Do it as another user of the instance, e.g. root.' },
  EROFS: { code: 'denied', remedy: 'It is on a file system that can only be read.' },
  ENOSPC: { code: 'exhausted', remedy: 'Free some space in the instance.' },
  EDQUOT: { code: 'exhausted', remedy: 'Free some space in the instance.' },
  EFBIG: { code: 'exhausted' },
  EMFILE: { code: 'exhausted', remedy: 'Its folders are too deep: remove them piece by piece.' },
  ENOMEM: { code: 'exhausted', remedy: 'Give the instance more memory.' },
  ECANCELED: { code: 'aborted' },
}

const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?').slice(0, 600)

const refused = (errno: string, message: string): DayflyError => {
  const known = codes[errno]
  return new DayflyError(known?.code ?? 'host', printable(message), {
    field: 'path',
    ...(known?.remedy === undefined ? {} : { remedy: known.remedy }),
  })
}

/** A container that an earlier version of Dayfly has made lives on, and does not have it. */
const withoutProgram = (error: unknown): never => {
  if (!(error instanceof DayflyError) || !error.code.startsWith('command_')) throw error
  throw new DayflyError('wrong_state', 'the instance was started before there were files by the API', {
    ...{ field: 'ref', remedy: 'Start it again, or use `dayfly exec`.', cause: error },
  })
}

const nonsense = (): DayflyError => new DayflyError('wrong_state', 'the instance answered something that dayfly-files does not say', { field: 'ref' })

/** What the program says, frame by frame, to be iterated once. Throws what it says is wrong, and when it ends before it is done. */
async function* answersOf(
  session: Session,
  limit: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<{ word: string; fields: string[]; bytes: Buffer }> {
  const frames: Buffer[] = []
  const read = createFrameReader(payload => frames.push(payload))
  const output = session.output[Symbol.asyncIterator]()
  using _giveUp = onAbort(signal, () => void session[Symbol.asyncDispose]())
  try {
    for (;;) {
      const next = limit === undefined ? await output.next() : await within(output.next(), limit)
      if (next.done) break
      if (next.value.stream === 'stderr') continue
      read(Buffer.from(next.value.data))
      for (const payload of frames.splice(0)) {
        const end = payload.indexOf(0)
        if (end < 0) throw nonsense()
        const word = payload.toString('latin1', 0, end)
        const fields = word === 'data' ? [] : decodeFields(payload).slice(1)
        if (word === 'error') throw refused(fields[0] ?? '', fields[1] ?? '')
        yield { word, fields, bytes: payload.subarray(end + 1) }
        if (word === 'done') return
      }
    }
    if (signal.aborted) throw abortError(signal)
    await session.exit.catch(withoutProgram) // rejects when it did not start, and says why
    throw new DayflyError('wrong_state', 'the instance ended, or somebody in it ended what was being done', { field: 'ref' })
  } finally {
    await session[Symbol.asyncDispose]()
  }
}

const within = async <T>(work: Promise<T>, ms: number): Promise<T> => {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () =>
      late.reject(
        new DayflyError('timeout', `nothing came from the instance for ${ms / 1000} s`, {
          field: 'ref',
          remedy: 'See what keeps it: dayfly exec REF -- ps',
        }),
      ),
    ms,
  )
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** `base`: what its path is relative to. */
const entryOf = ([type, mode, uid, gid, size, changed, target, path = '']: readonly string[], base: string): FileEntry => {
  const parsed = FileEntrySchema.safeParse({
    path: path.startsWith('/') || base === '' ? path : posix.join(base, path),
    type,
    mode: Number(mode),
    uid: Number(uid),
    gid: Number(gid),
    size: Number(size),
    modifiedAt: Number(changed),
    target: type === 'link' ? target : null,
  })
  if (!parsed.success) throw nonsense()
  return parsed.data
}

const word = (value: number | boolean | undefined): string => (value === undefined ? '-' : String(Number(value)))

const piecesOf = function* (bytes: Uint8Array): Generator<Buffer> {
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    const piece = bytes.subarray(from, from + pieceBytes)
    const frame = Buffer.allocUnsafe(4 + piece.length)
    frame.writeUInt32LE(piece.length)
    frame.set(piece, 4)
    yield frame
  }
}

export const createFiles = ({ exec, idsOf, signal }: FilesOptions): Files => {
  /** The fields of its last word, and its entries. */
  const ask = async (...args: readonly string[]): Promise<{ done: readonly string[]; entries: (readonly string[])[] }> => {
    const entries: string[][] = []
    for await (const { word: said, fields } of answersOf(await exec(args), patience, signal)) {
      if (said === 'entry') entries.push(fields)
      if (said === 'done') return { done: fields, entries }
      if (args[0] === 'stat') return { done: [], entries }
    }
    throw nonsense()
  }

  const making = async ({ mode, owner, parents }: Making): Promise<string[]> => {
    const ids = owner === undefined ? undefined : await idsOf(owner)
    return [word(mode), word(ids?.uid), word(ids?.gid), word(parents)]
  }

  const write: Files['write'] = async (path, content, how) => {
    const session = await exec(['write', path, ...(await making(how))])
    // It says nothing until all is written, and that takes as long as it takes.
    const answers = answersOf(session, undefined, signal)
    const said = answers.next()
    said.catch(() => {})
    let over = false
    void said.then(
      () => {
        over = true
      },
      () => {
        over = true
      },
    )
    try {
      for await (const bytes of content) {
        for (const piece of piecesOf(bytes)) {
          if (over) break
          session.write(piece)
          await within(session.drained(), patience)
        }
        if (over) break
      }
    } catch (error) {
      await session[Symbol.asyncDispose]()
      throw error
    }
    if (!over) session.write(Buffer.alloc(4))
    const { value } = await within(said, patience).catch(async (error: unknown) => {
      await session[Symbol.asyncDispose]()
      throw error
    })
    await answers.return(undefined)
    if (value?.word !== 'done') throw nonsense()
    return Number(value.fields[0])
  }

  return {
    stat: async path => entryOf((await ask('stat', path)).entries[0] ?? [], ''),
    list: async (path, depth, limit) => {
      const { done, entries } = await ask('list', path, word(depth), word(limit))
      if (entries.length > limit) throw nonsense()
      const found = entries.map(fields => entryOf(fields, path))
      return { entries: found.sort((left, right) => (left.path < right.path ? -1 : 1)), more: done[0] === 'more' }
    },
    read: async (path, offset, limit) => {
      const answers = answersOf(await exec(['read', path, word(offset), word(limit)]), patience, signal)
      const first = (await answers.next()).value
      if (first?.word !== 'entry') {
        await answers.return(undefined)
        throw nonsense()
      }
      const content = async function* (): AsyncGenerator<Uint8Array> {
        let total = 0
        for await (const { word: said, bytes } of answers) {
          if (said !== 'data') continue
          total += bytes.length
          if (total > limit) throw nonsense()
          yield bytes
        }
      }
      return { entry: { ...entryOf(first.fields, ''), path }, content: content() }
    },
    write,
    makeFolder: async (path, how) => (await ask('mkdir', path, ...(await making(how)))).done[0] === 'made',
    remove: async (path, recursive) => Number((await ask('remove', path, word(recursive))).done[0]),
    rename: async (from, to) => void (await ask('rename', from, to)),
    watch: async (path, recursive) => {
      const answers = answersOf(await exec(['watch', path, word(recursive)]), undefined, signal)
      const first = (await within(answers.next(), patience)).value
      if (first?.word !== 'watching') {
        await answers.return(undefined)
        throw nonsense()
      }
      const changes = async function* (): AsyncGenerator<FileChange> {
        for await (const { word: said, fields } of answers) {
          if (said === 'lost') yield { type: 'lost', path: '' }
          if (said !== 'change') continue
          const parsed = FileChangeSchema.safeParse({ type: fields[0], path: posix.join(path, fields[1] ?? '') })
          if (!parsed.success) throw nonsense()
          yield parsed.data
        }
      }
      return changes()
    },
  }
}
