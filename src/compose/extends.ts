/** `extends`: a service over another one of the same document or of another file. */
import { posix } from 'node:path'
import type { Scope } from './lone.ts'
import { readLone } from './lone.ts'
import { merge, without } from './merge.ts'
import { resolvePaths } from './paths.ts'
import type { Reading } from './reading.ts'
import { isRemote } from './reading.ts'
import { suggest } from './suggest.ts'
import type { Mapping, Node, Path } from './tree.ts'
import { isMapping, isNull, isText, member, withMember } from './tree.ts'

/** The services of one file, and what its tags remove from what is extended. */
interface Place {
  readonly file: string
  readonly services: Mapping
  readonly removed: readonly Path[]
}

interface Reference {
  readonly service: string
  readonly file: string | undefined
  readonly node: Node
}

const referenceOf = (service: Node): Reference | undefined => {
  const node = member(service, 'extends')
  if (isText(node)) return { service: node.value, file: undefined, node }
  const name = member(node, 'service')
  const file = member(node, 'file')
  return node !== undefined && isText(name) ? { service: name.value, file: isText(file) ? file.value : undefined, node } : undefined
}

interface Visit {
  readonly file: string
  readonly service: string
}

const openPlace = async (reference: Reference, from: Place, path: Path, scope: Scope, reading: Reading): Promise<Place | undefined> => {
  if (reference.file === undefined) return from
  const { origin } = reference.node
  if (isRemote(reference.file) && reference.file.includes('://')) {
    reading.problems.error(origin, path, 'a service can only extend one of a file that is here', {
      remedy: 'Download the file into the project folder.',
    })
    return undefined
  }
  const file = reading.path(scope.folder, reference.file)
  const { model, removed } = await readLone(file, scope, reading, { origin, path })
  const services = member(resolvePaths(model, posix.dirname(file), reading), 'services')
  if (isMapping(services)) return { file, services, removed }
  // A file that could not be read has been told of already.
  if (!reading.problems.failed) reading.problems.error(origin, path, `${reference.file} has no services`)
  return undefined
}

const extend = async (name: string, place: Place, visited: readonly Visit[], scope: Scope, reading: Reading): Promise<Node | undefined> => {
  const service = member(place.services, name)
  if (service === undefined || !isMapping(service) || member(service, 'extends') === undefined) return service
  const path: Path = ['services', name, 'extends']
  const reference = referenceOf(service)
  // Of the wrong form: the schema says so.
  if (reference === undefined) return service
  const alone = withMember(service, 'extends', undefined)
  const { origin } = reference.node
  if (visited.some(visit => visit.file === place.file && visit.service === name)) {
    const chain = [...visited.map(visit => visit.service), name].join(' → ')
    reading.problems.error(origin, path, `services extend each other in a circle: ${chain}`)
    return alone
  }
  const target = await openPlace(reference, place, path, scope, reading)
  if (target === undefined) return alone
  if (!target.services.entries.has(reference.service)) {
    const close = suggest(reference.service, target.services.entries.keys())
    const where = reference.file === undefined ? 'this file' : reference.file
    reading.problems.error(
      origin,
      path,
      `there is no service ${reference.service} in ${where}${close === undefined ? '' : `; did you mean ${close}?`}`,
    )
    return alone
  }
  const base = await extend(reference.service, target, [...visited, { file: place.file, service: name }], scope, reading)
  if (base === undefined || isNull(base)) return alone
  const own = without(
    base,
    place.removed.filter(removed => removed[0] === 'services' && removed[1] === name).map(removed => removed.slice(2)),
  )
  const merged = merge(own, service, ['services', name], reading.problems)
  return isMapping(merged) ? withMember(merged, 'extends', undefined) : alone
}

/** A document whose services hold what they extend. */
export const applyExtends = async (document: Mapping, removed: readonly Path[], file: string, scope: Scope, reading: Reading): Promise<Mapping> => {
  const services = member(document, 'services')
  if (!isMapping(services)) return document
  const place: Place = { file, services, removed }
  let result = services
  for (const name of services.entries.keys()) {
    const extended = await extend(name, place, [], scope, reading)
    if (extended !== undefined && extended !== member(services, name)) result = withMember(result, name, extended)
  }
  return withMember(document, 'services', result)
}
