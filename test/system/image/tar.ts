/** Writes tar archives byte by byte, also those that no honest tool would write. */

export interface TarEntry {
  readonly name: string | Buffer
  /** '0' file (default), '1' hard link, '2' symbolic link, '3' '4' devices, '5' folder, '6' fifo. */
  readonly type?: string
  readonly link?: string
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  readonly mtime?: number
  readonly content?: string | Buffer
  /** Records of an extended header before the entry. */
  readonly pax?: Readonly<Record<string, string | Buffer>>
  /** Long name and long target in GNU's way. */
  readonly gnuName?: string
  readonly gnuLink?: string
  /** Overrides the 12 bytes of the size field. */
  readonly rawSize?: Buffer
  readonly badChecksum?: boolean
}

const block = 512
const pad = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((block - (bytes.length % block)) % block)])
const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`

const header = (entry: TarEntry, name: Buffer, type: string, size: number): Buffer => {
  const bytes = Buffer.alloc(block)
  name.copy(bytes, 0, 0, 100)
  bytes.write(octal(entry.mode ?? (type === '5' ? 0o755 : 0o644), 8), 100, 'latin1')
  bytes.write(octal(entry.uid ?? 0, 8), 108, 'latin1')
  bytes.write(octal(entry.gid ?? 0, 8), 116, 'latin1')
  if (entry.rawSize) entry.rawSize.copy(bytes, 124, 0, 12)
  else bytes.write(octal(size, 12), 124, 'latin1')
  bytes.write(octal(entry.mtime ?? 1_600_000_000, 12), 136, 'latin1')
  bytes.write('        ', 148, 'latin1')
  bytes.write(type, 156, 'latin1')
  Buffer.from(entry.link ?? '').copy(bytes, 157, 0, 100)
  bytes.write('ustar\x0000', 257, 'latin1')
  let sum = 0
  for (const byte of bytes) sum += byte
  bytes.write(octal(entry.badChecksum ? sum + 1 : sum, 7), 148, 'latin1')
  return bytes
}

export const paxRecord = (key: string, value: string | Buffer): Buffer => {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')])
  let length = rest.length + 1
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.concat([Buffer.from(String(length)), rest])
}

const special = (type: string, name: string, content: Buffer): Buffer[] => [header({ name }, Buffer.from(name), type, content.length), pad(content)]

/** `end`: with the two empty blocks (default true). */
export const makeTar = (entries: readonly TarEntry[], { end = true } = {}): Buffer => {
  const parts: Buffer[] = []
  for (const entry of entries) {
    if (entry.gnuName !== undefined) parts.push(...special('L', '././@LongLink', Buffer.from(`${entry.gnuName}\0`)))
    if (entry.gnuLink !== undefined) parts.push(...special('K', '././@LongLink', Buffer.from(`${entry.gnuLink}\0`)))
    if (entry.pax) {
      parts.push(...special('x', 'PaxHeaders/x', Buffer.concat(Object.entries(entry.pax).map(([key, value]) => paxRecord(key, value)))))
    }
    const content = Buffer.from(entry.content ?? '')
    parts.push(header(entry, Buffer.from(entry.name), entry.type ?? '0', content.length), pad(content))
  }
  if (end) parts.push(Buffer.alloc(2 * block))
  return Buffer.concat(parts)
}
