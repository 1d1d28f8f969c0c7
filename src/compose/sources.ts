/**
 * What a compose file can reach: files are read through this and nothing else. Whoever implements it decides what may be read; a daemon that reads
 * for somebody else must not read more than that person may.
 */
export interface Sources {
  /** The text of a file. Rejects when it cannot be read. Paths are absolute here and below. */
  read(path: string): Promise<string>
  /** What a path leads to, symbolic links followed; undefined when there is nothing. */
  kind(path: string): Promise<'file' | 'folder' | 'other' | undefined>
  /** The path without symbolic links. Of one that does not exist: that of the nearest folder that does, with the rest added. */
  realpath(path: string): Promise<string>
}
