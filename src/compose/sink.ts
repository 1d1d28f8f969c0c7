import type { Problems, WarningKind } from './problems.ts'
import type { Path } from './tree.ts'

/** Where faults and warnings of a project are told, by the path of the field. */
export interface Sink {
  error(path: Path, message: string, more?: { remedy?: string; policy?: string }): void
  warn(kind: WarningKind, path: Path, message: string): void
}

export const sinkOf = (problems: Problems): Sink => ({
  error: (path, message, more = {}) => problems.error(undefined, path, message, more),
  warn: (kind, path, message) => problems.warn(kind, undefined, path, message),
})
