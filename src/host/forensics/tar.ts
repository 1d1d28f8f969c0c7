/** Headers of a POSIX tar archive (pax), as OCI layers have them. */

export type TarType = 'file' | 'hardlink' | 'symlink' | 'directory' | 'fifo'

export interface TarEntry {
  /** Bytes, as the file system has them; of a folder without its slash. */
  readonly path: Buffer
  readonly type: TarType
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** s since 1970. */
  readonly mtime: number
  /** Of a file. */
  readonly size?: number
  /** Of a link. */
  readonly target?: Buffer
}

const block = 512
const flags: Readonly<Record<TarType, string>> = { file: '0', hardlink: '1', symlink: '2', directory: '5', fifo: '6' }
/** What 11 and 7 octal digits hold. */
const largestSize = 0o77777777777
const largestId = 0o7777777

const octal = (value: number, width: number): string => `${Math.max(0, Math.floor(value)).toString(8).padStart(width, '0')}\0`

/** How many bytes follow the content of a file to fill its last block. */
export const padding = (size: number): number => (block - (size % block)) % block

const header = (
  path: Buffer,
  flag: string,
  fields: { mode: number; uid: number; gid: number; size: number; mtime: number; target: Buffer },
): Buffer => {
  const out = Buffer.alloc(block)
  path.copy(out, 0, 0, 100)
  out.write(octal(fields.mode & 0o7777, 7), 100, 'latin1')
  out.write(octal(fields.uid <= largestId ? fields.uid : 0, 7), 108, 'latin1')
  out.write(octal(fields.gid <= largestId ? fields.gid : 0, 7), 116, 'latin1')
  out.write(octal(fields.size <= largestSize ? fields.size : 0, 11), 124, 'latin1')
  out.write(octal(fields.mtime <= largestSize ? fields.mtime : 0, 11), 136, 'latin1')
  out.write('        ', 148, 'latin1')
  out.write(flag, 156, 'latin1')
  fields.target.copy(out, 157, 0, 100)
  out.write('ustar\x0000', 257, 'latin1')
  let sum = 0
  for (const byte of out) sum += byte
  out.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return out
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts itself. */
const record = (key: string, value: Buffer): Buffer => {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')])
  let length = rest.length + 1
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.concat([Buffer.from(String(length)), rest])
}

const isPlain = (bytes: Buffer): boolean => bytes.length <= 100 && !bytes.some(byte => byte >= 0x80)

/** The header of one entry, with what goes before it. The content of a file follows, and its padding. */
export const tarHeader = ({ path: given, type, mode, uid, gid, mtime, size = 0, target = Buffer.alloc(0) }: TarEntry): Buffer => {
  const path = type === 'directory' ? Buffer.concat([given, Buffer.from('/')]) : given
  const records = [
    ...(isPlain(path) ? [] : [record('path', path)]),
    ...(isPlain(target) ? [] : [record('linkpath', target)]),
    ...(size > largestSize ? [record('size', Buffer.from(String(size)))] : []),
    ...(uid > largestId ? [record('uid', Buffer.from(String(uid)))] : []),
    ...(gid > largestId ? [record('gid', Buffer.from(String(gid)))] : []),
    ...(mtime < 0 || mtime > largestSize ? [record('mtime', Buffer.from(String(Math.floor(mtime))))] : []),
  ]
  const own = header(path, flags[type], { mode, uid, gid, size, mtime, target })
  if (records.length === 0) return own
  const content = Buffer.concat(records)
  const before = header(Buffer.from('PaxHeaders/entry'), 'x', {
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: content.length,
    mtime: 0,
    target: Buffer.alloc(0),
  })
  return Buffer.concat([before, content, Buffer.alloc(padding(content.length)), own])
}

/** Two empty blocks. */
export const tarEnd = Buffer.alloc(2 * block)
