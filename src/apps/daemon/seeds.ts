/** What fills volumes: folders and archives of this host as tar streams. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { FileHandle } from 'node:fs/promises'
import { open, stat } from 'node:fs/promises'
import type { Seeds } from '../../api/services.ts'
import { DayflyError, errnoOf } from '../../base/errors.ts'

const invalid = (volume: string, message: string, cause?: unknown): DayflyError => {
  const field = `seeds.${volume}`
  return new DayflyError('invalid', `${field}: ${message}`, { field, remedy: 'Name a folder or a tar archive of this host.', cause })
}

/** Owners by number, and everything that a volume can hold. Begins when it is read. */
async function* folderStream(volume: string, path: string, running: Set<ChildProcess>): AsyncGenerator<Uint8Array> {
  const args = ['--create', '--file=-', '--format=posix', '--numeric-owner', '--xattrs', '--sparse', '--one-file-system', '--directory', path, '.']
  const tar = spawn('tar', args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } })
  running.add(tar)
  const ended = once(tar, 'close')
  ended.catch(() => {}) // Looked at below, once what it has printed was read.
  let messages = ''
  tar.stderr.on('data', (bytes: Buffer) => {
    messages = (messages + bytes.toString('utf8')).slice(-4096)
  })
  try {
    yield* tar.stdout
    const [code] = await ended
    if (code !== 0) throw invalid(volume, `${path} cannot be read: ${messages.trim().split('\n')[0] ?? `tar ended with ${code}`}`)
  } finally {
    tar.kill('SIGKILL')
    running.delete(tar)
  }
}

async function* fileStream(file: FileHandle): AsyncGenerator<Uint8Array> {
  yield* file.createReadStream({ autoClose: false, highWaterMark: 256 * 1024 })
}

/** Opens what is named, so that a fault is told before anything is made; reads nothing yet. Disposing closes it all. */
export const openSeeds = async (paths: Readonly<Record<string, string>>): Promise<AsyncDisposable & { readonly streams: Seeds }> => {
  await using stack = new AsyncDisposableStack()
  const running = new Set<ChildProcess>()
  stack.defer(() => {
    for (const child of running) child.kill('SIGKILL')
  })
  const streams = new Map<string, AsyncIterable<Uint8Array>>()
  for (const [volume, path] of Object.entries(paths)) {
    let found: Awaited<ReturnType<typeof stat>>
    try {
      found = await stat(path)
    } catch (error) {
      throw invalid(volume, errnoOf(error) === 'ENOENT' ? `${path} does not exist` : `${path} cannot be read`, error)
    }
    if (found.isDirectory()) streams.set(volume, folderStream(volume, path, running))
    else if (found.isFile()) streams.set(volume, fileStream(stack.use(await open(path, 'r'))))
    else throw invalid(volume, `${path} is neither a folder nor a file`)
  }
  const opened = stack.move()
  return { streams, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}
