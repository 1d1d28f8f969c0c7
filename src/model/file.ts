/** Files of an instance, as it sees them itself: paths are absolute, within its own root and mounts. */
import { z } from 'zod'

export const FilePath = z
  .string()
  .max(4095, 'is longer than a path can be')
  .regex(/^\/[^\0]*$/, 'must be absolute: it begins with / (and has no NUL byte)')

export const FileEntry = z.object({
  path: z.string(),
  type: z.enum(['file', 'folder', 'link', 'other']).describe('`other`: a device, a pipe or a socket.'),
  mode: z.int().describe('Permission bits, with setuid, setgid and sticky: 0 to 4095.'),
  uid: z.int().describe("In the instance's own numbers, like gid."),
  gid: z.int(),
  size: z.int().describe('Bytes; of a link, of what it says.'),
  modifiedAt: z.number(),
  target: z.string().nullable().describe('What a link says; null for anything else.'),
})
export type FileEntry = z.infer<typeof FileEntry>

export const FileChange = z.object({
  type: z
    .enum(['create', 'write', 'remove', 'rename', 'chmod', 'lost'])
    .describe('`rename`: it is no longer of that name. `lost`: there were too many changes to tell; look anew.'),
  path: z.string().describe('Absolute; of what is watched, empty for `lost`.'),
})
export type FileChange = z.infer<typeof FileChange>

/** How something is made. Left out, it is as what was there before, or as files usually are (0644, 0755 for folders, whose user's it is). */
export interface Making {
  readonly mode: number | undefined
  /** `USER[:GROUP]`, by the image's names or numbers. */
  readonly owner: string | undefined
  /** Also the folders above it. */
  readonly parents: boolean
}

/** Bytes that one call reads or writes at most. */
export const mostBytes = 1024 * 1024 * 1024

/**
 * What can be done with the files of one instance, by one of its users. Each rejects with a DayflyError: `not_found`, `invalid` and `conflict` with field `path`,
 * `denied` where that user may not, `exhausted` where there is no room, `wrong_state` when the instance has ended, `timeout` when it does not answer.
 */
export interface Files {
  /** Links are not followed. */
  stat(path: string): Promise<FileEntry>
  /** What is in a folder, down to `depth` levels (1: itself only), by path. `more`: there were more than `limit`. */
  list(path: string, depth: number, limit: number): Promise<{ readonly entries: readonly FileEntry[]; readonly more: boolean }>
  /** Of an ordinary file. `content` is to be iterated once, or left by `return`. */
  read(path: string, offset: number, limit: number): Promise<{ readonly entry: FileEntry; readonly content: AsyncIterable<Uint8Array> }>
  /** All of it or nothing: until its end the file is as it was before. Returns the bytes. */
  write(path: string, content: AsyncIterable<Uint8Array>, making: Making): Promise<number>
  /** False: it was there, which is fine with `parents` and a `conflict` without. */
  makeFolder(path: string, making: Making): Promise<boolean>
  /** A folder with something in it only with `recursive`. How much went. */
  remove(path: string, recursive: boolean): Promise<number>
  /** Replaces what has the new name, as rename(2) does. */
  rename(from: string, to: string): Promise<void>
  /** Resolves once nothing that changes from now on is missed. Ends when what is watched is gone. */
  watch(path: string, recursive: boolean): Promise<AsyncIterable<FileChange>>
}
