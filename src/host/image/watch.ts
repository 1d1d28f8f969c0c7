/** Somebody who looks at layers: at each in the pass that unpacks it. What is said of a layer, its *note*, is kept beside it and goes with it. */
import type { Writable } from 'node:stream'
import type { Unpacked, Unpacker, UnpackRequest } from './unpack.ts'
import { unpack } from './unpack.ts'

export interface LayerWatch extends AsyncDisposable {
  /** The unpacker's fd 3. Whoever looks takes what is written there, or closes it; it never makes the unpacking fail. Undefined: nobody could look. */
  readonly records: Writable | undefined
  /** All of the layer is there. Resolves to the note, which is kept as JSON. Rejects only by the signal. */
  finish(diffId: string, signal: AbortSignal | undefined): Promise<unknown>
}

export interface LayerWatcher {
  /** The file of keywords for `dayfly-unpack --scan`. */
  readonly keywords: string
  /** Begins to look at a layer that is about to be unpacked into `folder`, an empty one. Called where the unpacker is started: not asynchronous. */
  watch(folder: string): LayerWatch
  /** Looks at one that is there. Rejects only by the signal. */
  look(folder: string, diffId: string, signal: AbortSignal | undefined): Promise<unknown>
  /** A note that `look` would not make otherwise. */
  isCurrent(note: unknown): boolean
}

/** As `unpack`, looked at by `watcher`, if there is one. */
export const unpackWatched = async (unpacker: Unpacker, watcher: LayerWatcher | undefined, request: UnpackRequest): Promise<Unpacked> => {
  if (watcher === undefined) return await unpack(unpacker, request)
  await using watch = watcher.watch(request.folder)
  const { records } = watch
  const unpacked = await unpack(unpacker, { ...request, ...(records === undefined ? {} : { tap: { keywords: watcher.keywords, records } }) })
  return { ...unpacked, note: await watch.finish(unpacked.diffId, request.signal) }
}
