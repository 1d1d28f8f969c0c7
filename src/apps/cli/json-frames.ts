import type { Watchers } from './carry.ts'

/** Every frame as a line of JSON. */
export const jsonWatchers = (write: (text: string) => void): Watchers => {
  const print = (document: object): void => write(`${JSON.stringify(document)}\n`)
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  return {
    onProgress: progress => print({ type: 'progress', progress }),
    onQueued: queued => print({ type: 'queued', queued }),
    onStarted: environment => print({ type: 'started', environment }),
    onOutput: (stream, data) => print({ type: 'output', stream, text: decoders[stream].decode(data, { stream: true }) }),
    onExit: ({ code, instance }) => print({ type: 'exit', code, instance }),
    onEnded: environment => print({ type: 'ended', environment }),
    onDetached: () => print({ type: 'detached' }),
  }
}
