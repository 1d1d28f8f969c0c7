/**
 * Contract of what finds packages. A cataloguer is pure: it is shown every file's name and attributes, says which it wants, and is given those to read.
 * It owns nothing, keeps nothing between files but what it returns, and trusts no byte: sizes, counts, depths and offsets are checked before they are used,
 * time and memory are bounded whatever the file holds. A file that cannot be understood is reported as a problem, never skipped in silence and never fatal.
 */
import type { Distribution, Package } from '../model/package.ts'
import type { OwnedFiles } from './facts.ts'

export type EntryKind = 'file' | 'folder' | 'link' | 'hardlink' | 'device' | 'fifo' | 'whiteout'

/** One entry of a layer or folder. */
export interface Entry {
  /** Without a leading slash or `./`. Not UTF-8: with U+FFFD in it, and never wanted by a cataloguer. */
  readonly path: string
  readonly kind: EntryKind
  /** Permission bits, setuid, setgid and sticky included. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes of content; 0 for what is not a file. */
  readonly size: number
  /** What the first bytes say, of files. */
  readonly magic: 'elf' | 'zip' | 'script' | undefined
}

/** Random access to one file. Reads beyond the end give fewer bytes. */
export interface Content {
  readonly size: number
  /** At most 16 MiB at once. */
  read(offset: number, length: number): Promise<Buffer>
  /** The whole file. Throws `corrupt` when it is larger than `most` (bytes). */
  whole(most: number): Promise<Buffer>
}

export interface Found {
  readonly packages: readonly Package[]
  /** What could not be understood, each a sentence that names the file. With any, the scan is incomplete, and policy may deny for it. */
  readonly problems: readonly string[]
  /** Which files packages of a distribution have brought. */
  readonly owned?: readonly OwnedFiles[]
}

export interface Cataloguer {
  /** `dpkg`, `npm`, `java`, … */
  readonly name: string
  wants(entry: Entry): boolean
  /** `distribution` is that of the image as far as it is known, for purls. Rejects only by the signal. */
  read(entry: Entry, content: Content, distribution: Distribution | undefined, signal: AbortSignal): Promise<Found>
}
