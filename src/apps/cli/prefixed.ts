/** Output of many instances on one screen: each line after the name of its instance, and never two half lines in one. */
import type { Paint, Style } from './output.ts'
import { printable } from './output.ts'

const palette: readonly Style[] = ['cyan', 'yellow', 'green', 'magenta', 'blue']

export interface Prefixes {
  /** `web-1  | `, padded to the longest name so far. A workload keeps its colour. */
  of(workload: string, name: string): string
}

export const createPrefixes = (paint: Paint, names: readonly string[] = []): Prefixes => {
  const colours = new Map<string, Style>()
  let width = Math.max(0, ...names.map(name => name.length))
  return {
    of: (workload, name) => {
      const style = colours.get(workload) ?? palette[colours.size % palette.length] ?? 'cyan'
      colours.set(workload, style)
      width = Math.max(width, name.length)
      return paint(style, `${printable(name).padEnd(width)}  | `)
    },
  }
}

export interface LineWriter {
  write(data: Uint8Array): void
  /** Prints what has no newline yet, with one. */
  end(): void
}

/** Longest line that is waited for to become whole, bytes. */
const longest = 64 * 1024

export const createLineWriter = (prefix: () => string, to: { write(data: string | Uint8Array): unknown }): LineWriter => {
  let pending: Buffer = Buffer.alloc(0)
  const print = (line: Uint8Array): void => void to.write(Buffer.concat([Buffer.from(prefix()), line, Buffer.from('\n')]))
  return {
    write: data => {
      pending = Buffer.concat([pending, data])
      for (let end = pending.indexOf(10); end >= 0; end = pending.indexOf(10)) {
        print(pending.subarray(0, end))
        pending = pending.subarray(end + 1)
      }
      if (pending.length <= longest) return
      print(pending)
      pending = Buffer.alloc(0)
    },
    end: () => {
      if (pending.length > 0) print(pending)
      pending = Buffer.alloc(0)
    },
  }
}
