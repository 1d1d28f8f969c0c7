/** From files to one model: each document of each file is interpolated, completed by what it includes and extends, and merged over those before. */
import { setDefaults } from './defaults.ts'
import { applyExtends } from './extends.ts'
import { applyIncludes } from './include.ts'
import type { Mention, Scope } from './lone.ts'
import { emptyModel, interpolated, settled } from './lone.ts'
import { merge, without } from './merge.ts'
import { resolvePaths } from './paths.ts'
import type { Reading } from './reading.ts'
import { validate } from './schema.ts'
import type { Mapping, Node } from './tree.ts'
import { isMapping, isNull, isScalar, isSequence, isText, mapMembers, member, scalar, withMember } from './tree.ts'
import { enforceUnique } from './unique.ts'

const addFile = async (before: Mapping, file: string, scope: Scope, reading: Reading, mention: Mention): Promise<Mapping> => {
  let model = before
  for (const document of await reading.documents(file, mention.origin, mention.path)) {
    const own = interpolated(document, scope, reading)
    if (own === undefined) continue
    const complete = await applyIncludes(own.node, own.removed, file, scope, reading, readModel)
    const extended = await applyExtends(complete, own.removed, file, scope, reading)
    const merged = enforceUnique(merge(without(model, own.removed), extended, [], reading.problems))
    validate(merged, reading.problems, reading.interpolates)
    const version = member(merged, 'version')
    if (version !== undefined) reading.problems.warn('deprecated', version.origin, ['version'], 'version is obsolete and has no effect; remove it')
    model = settled(isMapping(merged) ? withMember(merged, 'version', undefined) : merged, reading)
  }
  return model
}

/** `NAME` alone in `environment` takes its value here, where the document's own variables are known. */
const resolveEnvironment = (model: Mapping, scope: Scope, reading: Reading): Mapping => {
  for (const section of ['secrets', 'configs'] as const) {
    const resources = member(model, section)
    if (!isMapping(resources)) continue
    for (const [name, { value }] of resources.entries) {
      const variable = member(value, 'environment')
      const content = isText(variable) ? scope.environment.get(variable.value) : undefined
      if (content !== undefined) reading.values.set(`${section}.${name}`, content)
    }
  }
  const services = member(model, 'services')
  if (!isMapping(services)) return model
  const resolved = (node: Node, name: string): Node => {
    const value = isNull(node) ? scope.environment.get(name) : undefined
    return value === undefined ? node : { ...scalar(value, node.origin), template: `\${${name}}` }
  }
  const inList = (node: Node): Node => {
    if (!isScalar(node) || node.text.includes('=')) return node
    const value = scope.environment.get(node.text)
    return value === undefined ? node : { ...scalar(`${node.text}=${value}`, node.origin), template: node.text }
  }
  return withMember(
    model,
    'services',
    mapMembers(services, service => {
      const environment = member(service, 'environment')
      if (!isMapping(service)) return service
      if (isSequence(environment)) return withMember(service, 'environment', { ...environment, items: environment.items.map(inList) })
      return isMapping(environment) ? withMember(service, 'environment', mapMembers(environment, resolved)) : service
    }),
  )
}

/** The model that files make, one merged over the other, in long forms, with defaults and absolute paths. */
export const readModel = async (files: readonly string[], scope: Scope, reading: Reading, mention: Mention): Promise<Mapping> => {
  let model = emptyModel(files[0] ?? '')
  for (const file of files) model = await addFile(model, file, scope, reading, mention)
  const placed = resolvePaths(setDefaults(model), scope.folder, reading)
  if (isMapping(placed) && !reading.interpolates) return placed
  return isMapping(placed) ? resolveEnvironment(placed, scope, reading) : model
}
