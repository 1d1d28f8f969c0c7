/** Bytes both ways between a client and an instance, with back-pressure; either may end its direction and still receive. */
import type { Duplex } from 'node:stream'

export interface Watch {
  moved(bytes: number, fromClient: boolean): void
  /** Both connections are closed. Called once. */
  over(): void
}

export const relay = (client: Duplex, instance: Duplex, watch: Watch): void => {
  let open = 2
  const carry = (from: Duplex, to: Duplex, fromClient: boolean): void => {
    from.on('data', (chunk: Buffer) => {
      watch.moved(chunk.length, fromClient)
      if (!to.destroyed && !to.write(chunk)) from.pause()
    })
    to.on('drain', () => from.resume())
    from.on('end', () => to.end())
    from.on('error', () => to.destroy())
    from.on('close', () => {
      finish(to)
      if (--open === 0) watch.over()
    })
    // It may have closed before anybody listened.
    if (from.closed) from.emit('close')
  }
  carry(client, instance, true)
  carry(instance, client, false)
  client.resume()
  instance.resume()
}

/** What was written still arrives; nobody is there any more for what it would send. */
const finish = (stream: Duplex): void => {
  if (stream.destroyed) return
  if (stream.writableFinished) return void stream.destroy()
  stream.once('finish', () => stream.destroy())
  if (!stream.writableEnded) stream.end()
}
