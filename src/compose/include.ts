/** `include`: other projects' resources, each read in its own folder and with its own variables, under those of the document that includes them. */
import { posix } from 'node:path'
import { readEnvironmentFiles } from './environment.ts'
import type { Mention, Scope } from './lone.ts'
import { merge, without } from './merge.ts'
import type { Reading } from './reading.ts'
import { isRemote } from './reading.ts'
import type { Mapping, Node, Path } from './tree.ts'
import { isMapping, isSequence, isText, items, mapping, member, members, withMember } from './tree.ts'

const sections = ['services', 'volumes', 'networks', 'secrets', 'configs', 'models'] as const

const texts = (node: Node | undefined): string[] => (isText(node) ? [node.value] : items(node).flatMap(item => (isText(item) ? [item.value] : [])))

interface Inclusion {
  readonly files: readonly string[]
  readonly folder: string
  readonly environmentFiles: readonly string[]
}

const inclusionOf = async (node: Node, scope: Scope, reading: Reading): Promise<Inclusion> => {
  const files = texts(isText(node) ? node : member(node, 'path')).map(file => reading.path(scope.folder, file))
  const given = member(node, 'project_directory')
  const folder = isText(given) && given.value !== '' ? reading.path(scope.folder, given.value) : posix.dirname(files[0] ?? scope.folder)
  const named = texts(member(node, 'env_file'))
  const own = posix.join(folder, '.env')
  const environmentFiles =
    named.length > 0
      ? named.filter(file => file !== '/dev/null').map(file => reading.path(scope.folder, file))
      : (await reading.sources.kind(own)) === 'file'
        ? [own]
        : []
  return { files, folder, environmentFiles }
}

/** `document` with the resources of `imported` under its own of the same names. */
const importInto = (document: Mapping, imported: Mapping, removed: readonly Path[], reading: Reading): Mapping => {
  let result = document
  for (const section of sections) {
    const from = member(imported, section)
    const into = member(result, section) ?? mapping([], document.origin)
    if (!isMapping(from) || !isMapping(into)) continue
    let resources = into
    for (const [name, resource] of members(from)) {
      const own = member(into, name)
      const path = [section, name]
      const below = removed.filter(other => other[0] === section && other[1] === name).map(other => other.slice(2))
      resources = withMember(resources, name, own === undefined ? resource : merge(without(resource, below), own, path, reading.problems))
    }
    result = withMember(result, section, resources)
  }
  return result
}

/** Reads files to a model: the loader, which includes start again. */
export type ReadModel = (files: readonly string[], scope: Scope, reading: Reading, mention: Mention) => Promise<Mapping>

/** A document with all that it includes. */
export const applyIncludes = async (
  document: Mapping,
  removed: readonly Path[],
  file: string,
  scope: Scope,
  reading: Reading,
  readModel: ReadModel,
): Promise<Mapping> => {
  const include = member(document, 'include')
  let result = document
  if (!isSequence(include)) return result
  const including = [...scope.including, file]
  for (const [index, node] of include.items.entries()) {
    const path: Path = ['include', index]
    const remote = texts(isText(node) ? node : member(node, 'path')).find(isRemote)
    if (remote !== undefined) {
      reading.problems.error(node.origin, path, `${remote} is not here: only files can be included`, {
        remedy: 'Download it into the project folder.',
      })
      continue
    }
    const { files, folder, environmentFiles } = await inclusionOf(node, scope, reading)
    const repeated = files.find(other => including.includes(other))
    if (repeated !== undefined) {
      reading.problems.error(
        node.origin,
        path,
        `files include each other in a circle: ${[...including, repeated].map(other => posix.basename(other)).join(' → ')}`,
      )
      continue
    }
    const own = await readEnvironmentFiles(environmentFiles, scope.environment, reading, { origin: node.origin, path })
    const environment = new Map([...own, ...scope.environment])
    const imported = await readModel(files, { folder, environment, including }, reading, { origin: node.origin, path })
    result = importInto(result, imported, removed, reading)
  }
  // An include that is no list stays, for the schema to refuse it.
  return withMember(result, 'include', undefined)
}
