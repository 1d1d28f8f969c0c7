/** One side of an upgraded connection, as frames. Used by the server and by the client. */
import type { Duplex } from 'node:stream'
import type { Frame } from './frames.ts'
import { decodeFrames } from './frames.ts'

export interface FrameStream {
  /** Resolves when more may be sent. Does nothing once the other side is gone: see `closed`. */
  send(...frames: Buffer[]): Promise<void>
  /** What arrives, to be iterated once; not read ahead of the reader. Ends when the other side is gone, however it went: only a reader notices. */
  readonly frames: AsyncIterable<Frame>
  /** Aborted when the connection is gone. */
  readonly closed: AbortSignal
  /** Sends what is still to be sent, then closes. */
  end(): void
}

export const createFrameStream = (socket: Duplex): FrameStream => {
  const closed = new AbortController()
  socket.once('close', () => closed.abort())
  // A side that has ended takes nothing in any more: no half-open connections, which HTTP servers allow and a client that is done would wait for.
  socket.once('end', () => socket.end())
  socket.on('error', () => socket.destroy()) // Seen as `closed`: to its user, a broken connection and a closed one are the same.

  const read = async function* (): AsyncGenerator<Frame> {
    try {
      yield* decodeFrames(socket.iterator({ destroyOnReturn: false }))
      closed.abort() // Whoever says no more does not listen any more either: the end of stdin has a frame of its own.
    } catch (error) {
      if (!socket.destroyed) throw error
    }
  }

  return {
    async send(...frames) {
      let room = true
      for (const frame of frames) if (socket.writable) room = socket.write(frame)
      if (room || socket.destroyed) return
      await new Promise<void>(resolve => {
        const go = (): void => {
          socket.off('drain', go)
          socket.off('close', go)
          resolve()
        }
        socket.on('drain', go)
        socket.on('close', go)
      })
    },
    frames: read(),
    closed: closed.signal,
    end() {
      socket.end()
    },
  }
}
