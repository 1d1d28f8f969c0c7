/** A shell in an instance. What it prints goes to a terminal, never into the page as anything but text. */
import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'
import '@xterm/xterm/css/xterm.css'
import { useEffect, useRef, useState } from 'react'
import { z } from 'zod'
import type { EnvironmentView } from '../../../../api/schemas/environments.ts'
import { problemOf } from '../../api/errors.ts'
import { pathOf } from '../../api/http.ts'
import { CliLine } from '../../components/cli-line.tsx'
import { Empty, Failure } from '../../components/states.tsx'
import { setParameter, useAddress } from '../../router.tsx'
import { terminalDocument } from './terminal-document.ts'

/** Kinds of frames: the first byte of each message (src/api/frames.ts). */
const kinds = { stdin: 0, stdout: 1, stderr: 2, resize: 3, exit: 5, error: 6 } as const

const Exit = z.looseObject({ code: z.int() })

const frame = (kind: number, payload: Uint8Array): Uint8Array<ArrayBuffer> => {
  const message = new Uint8Array(1 + payload.length)
  message[0] = kind
  message.set(payload, 1)
  return message
}

const resizeFrame = (rows: number, columns: number): Uint8Array<ArrayBuffer> => {
  const payload = new Uint8Array(4)
  const view = new DataView(payload.buffer)
  view.setUint16(0, rows, true)
  view.setUint16(2, columns, true)
  return frame(kinds.resize, payload)
}

type End = { readonly kind: 'exit'; readonly code: number } | { readonly kind: 'error'; readonly error: unknown } | { readonly kind: 'gone' }

const jsonOf = (payload: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(payload))
  } catch {
    return undefined
  }
}

/** Until it ends, or this is no longer on screen. */
const Shell = ({ instance, onEnd }: { readonly instance: string; readonly onEnd: (end: End) => void }) => {
  const place = useRef<HTMLDivElement>(null)
  const told = useRef(onEnd)
  told.current = onEnd
  useEffect(() => {
    const box = place.current
    if (box === null) return
    const fit = new FitAddon()
    const terminal = new Terminal({
      ...{ cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches, fontSize: 13, scrollback: 5_000, screenReaderMode: true },
      fontFamily: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
      theme: { background: '#14181d', foreground: '#e5e9ee' },
      documentOverride: terminalDocument(),
      // Links that a workload prints are not to be followed from here.
      linkHandler: { activate: () => undefined },
    })
    terminal.loadAddon(fit)
    terminal.open(box)
    fit.fit()
    const address = new URL(
      pathOf('/v1/instances/:ref/terminal', { ref: instance }, { tty: true, rows: terminal.rows, columns: terminal.cols, command: ['/bin/sh'] }),
      location.href,
    )
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = new WebSocket(address, 'dayfly-frames')
    socket.binaryType = 'arraybuffer'
    let ended = false
    const over = (end: End): void => {
      if (ended) return
      ended = true
      told.current(end)
    }
    const encoder = new TextEncoder()
    const send = (message: Uint8Array<ArrayBuffer>): void => {
      if (socket.readyState === WebSocket.OPEN) socket.send(message)
    }
    terminal.onData(text => send(frame(kinds.stdin, encoder.encode(text))))
    terminal.onBinary(text =>
      send(
        frame(
          kinds.stdin,
          Uint8Array.from(text, character => character.charCodeAt(0)),
        ),
      ),
    )
    terminal.onResize(({ rows, cols }) => send(resizeFrame(rows, cols)))
    socket.addEventListener('open', () => {
      send(resizeFrame(terminal.rows, terminal.cols))
      terminal.focus()
    })
    socket.addEventListener('message', ({ data }) => {
      if (!(data instanceof ArrayBuffer)) return
      const [kind] = new Uint8Array(data, 0, 1)
      const payload = new Uint8Array(data, 1)
      if (kind === kinds.stdout || kind === kinds.stderr) terminal.write(payload)
      else if (kind === kinds.exit) over({ kind: 'exit', code: Exit.safeParse(jsonOf(payload)).data?.code ?? 0 })
      else if (kind === kinds.error) over({ kind: 'error', error: problemOf(0, jsonOf(payload)) ?? new Error('The shell could not be opened.') })
    })
    socket.addEventListener('close', () => over({ kind: 'gone' }))
    const observer = new ResizeObserver(() => fit.fit())
    observer.observe(box)
    return () => {
      ended = true
      observer.disconnect()
      socket.close()
      terminal.dispose()
    }
  }, [instance])
  return <div className="shell" ref={place} />
}

const endWords = (end: End): string =>
  end.kind === 'exit' ? `The shell has ended with exit code ${end.code}.` : 'The connection to the shell is gone.'

export const TerminalPage = ({ environment }: { readonly environment: EnvironmentView }) => {
  const running = environment.instances.filter(({ state }) => state === 'running')
  const wanted = useAddress().query.get('instance') ?? ''
  const chosen = running.find(({ id }) => id === wanted) ?? running[0]
  const [attempt, setAttempt] = useState(0)
  const [end, setEnd] = useState<End>()
  const again = (): void => {
    setEnd(undefined)
    setAttempt(attempt + 1)
  }
  if (chosen === undefined) return <Empty title="None of its instances runs now." />
  return (
    <div className="stack">
      <div className="line">
        <label className="line">
          <span className="soft">A shell in</span>
          <select
            value={chosen.id}
            onChange={event => {
              setParameter('instance', event.target.value)
              again()
            }}
          >
            {running.map(({ id, workload, replica }) => (
              <option key={id} value={id}>
                {workload} {replica} · {id}
              </option>
            ))}
          </select>
        </label>
        <span className="soft">It is in the record that you were here. To leave the terminal with the keyboard: exit, or Ctrl+D.</span>
      </div>
      {end === undefined ? null : end.kind === 'error' ? (
        <Failure error={end.error} what="the shell" onRetry={again} />
      ) : (
        <p className="line" role="status">
          {endWords(end)}
          <button type="button" onClick={again}>
            Open another
          </button>
        </p>
      )}
      <Shell key={`${chosen.id} ${attempt}`} instance={chosen.id} onEnd={setEnd} />
      <CliLine words={['exec', '-it', chosen.id, 'sh']} />
    </div>
  )
}
