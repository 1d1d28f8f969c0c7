/** Documents on their own: with their variables, before anything is included, extended or merged into them. */
import { canonical, omitEmpty } from './canonical.ts'
import { interpolate } from './interpolate.ts'
import { merge, resolveTags, without } from './merge.ts'
import type { Reading } from './reading.ts'
import type { Mapping, Node, Origin, Path } from './tree.ts'
import { isMapping, mapping } from './tree.ts'
import { enforceUnique } from './unique.ts'

/** Where documents belong, and what their variables mean. */
export interface Scope {
  /** Relative paths start here. Absolute. */
  readonly folder: string
  readonly environment: ReadonlyMap<string, string>
  /** The files that include each other, from the project's own on. */
  readonly including: readonly string[]
}

/** Who asks for a file: shown when it cannot be read. */
export interface Mention {
  readonly origin: Origin | undefined
  readonly path: Path
}

/** What a file says by itself: no includes, no extends, not checked against the schema, in long forms. Paths are relative to the file's folder. */
export interface Lone {
  readonly model: Mapping
  /** What its `!reset` and `!override` tags remove. */
  readonly removed: readonly Path[]
}

export const emptyModel = (file: string): Mapping => mapping([], { file, line: 1, column: 1 })

/** Everything short made long, and lists with keys made unique: before, so that the schema sees no repetition; after, for what only shows then. */
export const settled = (model: Node, reading: Reading): Mapping => {
  const long = enforceUnique(omitEmpty(canonical(model, { problems: reading.problems, interpolated: reading.interpolates })))
  return isMapping(long) ? long : mapping([], model.origin)
}

/** A document with its variables (as they are, where the reading leaves them), and what its tags remove from documents before it. */
export const interpolated = (document: Node, scope: Scope, reading: Reading): { node: Mapping; removed: readonly Path[] } | undefined => {
  const { node, removed } = resolveTags(document)
  const result = reading.interpolates ? interpolate(node, name => scope.environment.get(name), reading.problems) : node
  if (isMapping(result)) return { node: result, removed }
  reading.problems.error(document.origin, [], 'a compose file is a mapping: services, networks, volumes …')
  return undefined
}

/** A file that another one extends. */
export const readLone = async (file: string, scope: Scope, reading: Reading, mention: Mention): Promise<Lone> => {
  let model: Mapping = emptyModel(file)
  const removed: Path[] = []
  for (const document of await reading.documents(file, mention.origin, mention.path)) {
    const own = interpolated(document, scope, reading)
    if (own === undefined) continue
    removed.push(...own.removed)
    model = settled(enforceUnique(merge(without(model, own.removed), own.node, [], reading.problems)), reading)
  }
  return { model, removed }
}
