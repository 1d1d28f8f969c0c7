/** A root file system becomes an image of one layer. */
import { mkdir, open, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { Readable } from 'node:stream'
import { DayflyError, errnoOf } from '../../base/errors.ts'
import { digestOf, layerFolderOf } from './digest.ts'
import { machinePlatform, manifestTypes } from './manifest.ts'
import { findFile } from './merged.ts'
import { run } from './process.ts'
import type { PullParts } from './pull.ts'
import { normaliseName } from './reference.ts'
import type { Staging } from './staging.ts'
import type { ImportOptions } from './store.ts'
import type { Unpacked } from './unpack.ts'
import { unpackWatched } from './watch.ts'

const unpackTar = async (
  { unpacker, watcher }: PullParts,
  path: string,
  size: number,
  folder: string,
  { signal, onProgress }: ImportOptions,
): Promise<Unpacked> => {
  await using file = await open(path, 'r')
  return await unpackWatched(unpacker, watcher, {
    folder,
    from: file.fd,
    what: path,
    rootFileSystem: true,
    signal,
    onProgress: bytes => onProgress?.({ phase: 'unpack', layer: '', bytes, total: size }),
  })
}

/** tar reads the folder and the unpacker its output: no byte comes through here, nothing is kept twice. */
const unpackFolder = async (
  { unpacker, watcher }: PullParts,
  path: string,
  folder: string,
  { signal, onProgress }: ImportOptions,
): Promise<Unpacked> => {
  const failed = new AbortController()
  const either = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal])
  let unpacking: Promise<Unpacked> | undefined
  const pipe = (from: Readable): void => {
    unpacking = unpackWatched(unpacker, watcher, {
      folder,
      from,
      what: path,
      rootFileSystem: true,
      signal: either,
      onProgress: bytes => onProgress?.({ phase: 'unpack', layer: '', bytes, total: undefined }),
    })
    from.destroy() // the child has it
    unpacking.catch((error: unknown) => failed.abort(error))
  }
  const args = [
    '--create',
    '--file=-',
    '--format=posix',
    '--pax-option=delete=atime,delete=ctime,exthdr.name=%d/PaxHeaders/%f', // what differs from one run to the next: those times, and a pid
    '--sort=name',
    '--numeric-owner',
    '--xattrs',
    '--xattrs-include=*',
    '--sparse',
    '--one-file-system',
  ]
  const taring = run(
    'tar',
    [...args, '--directory', path, '.'],
    { signal: either, onSpawn: pipe, env: { ...process.env, LC_ALL: 'C' } },
    'Install the package tar.',
  )
  const [tar, unpacked] = await Promise.allSettled([taring, taring.then(() => unpacking)])
  const settled = await Promise.allSettled([unpacking])
  if (tar.status === 'fulfilled' && tar.value.code !== 0 && !failed.signal.aborted) {
    throw new DayflyError('invalid', `cannot read ${path}: ${tar.value.stderr.trim().split('\n')[0] ?? `tar ended with ${tar.value.code}`}`, {
      field: 'path',
    })
  }
  if (signal?.aborted !== true && failed.signal.aborted) throw failed.signal.reason
  if (tar.status === 'rejected') throw tar.reason
  if (unpacked.status === 'rejected') throw unpacked.reason
  if (settled[0].status === 'rejected') throw settled[0].reason
  if (unpacked.value === undefined) throw new DayflyError('internal', `nothing unpacked ${path}`)
  return unpacked.value
}

const defaultCmd = async (layers: PullParts['layers'], unpacked: Unpacked): Promise<string[]> => {
  const layer = { path: join(layers.folder, layerFolderOf(unpacked.diffId)), opaque: new Set(unpacked.opaque) }
  for (const shell of ['/bin/sh', '/usr/bin/sh']) {
    if ((await findFile([layer], shell)) !== undefined) return [shell]
  }
  return []
}

const inspectPath = async (path: string): Promise<{ folder: boolean; size: number }> => {
  const field = 'path'
  if (!isAbsolute(path)) throw new DayflyError('invalid', `path: "${path}" is not absolute`, { field, remedy: 'Write the whole path.' })
  try {
    const found = await stat(path)
    if (!found.isDirectory() && !found.isFile())
      throw new DayflyError('invalid', `path: ${path} is neither a file nor a folder`, { field, remedy: 'Name a folder or a tar archive.' })
    return { folder: found.isDirectory(), size: found.size }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR')
      throw new DayflyError('invalid', `path: ${path} does not exist`, {
        field,
        remedy: 'Name a folder or a tar archive on the host of the daemon.',
        cause: error,
      })
    throw error
  }
}

/** Resolves to the manifest digest. The same root file system always gives the same image. */
export const importRoot = async (parts: PullParts, path: string, options: ImportOptions): Promise<string> => {
  const name = normaliseName(options.name)
  const { signal, onProgress } = options
  const { folder, size } = await inspectPath(path)
  onProgress?.({ phase: 'resolve', layer: '', bytes: 0, total: undefined })
  await using staging: Staging = await parts.createStaging()
  const target = join(staging.path, 'root')
  await mkdir(target, { mode: 0o755 })
  onProgress?.({ phase: 'unpack', layer: '', bytes: 0, total: folder ? undefined : size })
  const unpacked = folder ? await unpackFolder(parts, path, target, options) : await unpackTar(parts, path, size, target, options)
  {
    await using _ = await parts.holdCollection(signal)
    await staging.pin(layerFolderOf(unpacked.diffId))
  }
  await parts.layers.adopt(unpacked, target, signal)
  onProgress?.({ phase: 'done', layer: unpacked.diffId, bytes: unpacked.bytes, total: unpacked.bytes })

  const { os, architecture } = machinePlatform()
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os,
      config: { Cmd: options.cmd ?? (await defaultCmd(parts.layers, unpacked)) },
      rootfs: { type: 'layers', diff_ids: [unpacked.diffId] },
      history: [{ created_by: 'dayfly image import' }],
    }),
  )
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestTypes[0],
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: unpacked.diffId, size: unpacked.streamBytes }],
    }),
  )
  // Recorded and named in one step, for a collection: an image without a name may go.
  await using _hold = await parts.holdCollection(signal)
  const digest = await parts.images.put(manifest, config)
  await parts.images.putName(name, digest)
  return digest
}
