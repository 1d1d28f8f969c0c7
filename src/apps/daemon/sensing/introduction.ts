/** Who an instance is, for those that judge what it does, and what must not be written down of it. */
import type { Subject } from '../../../detect/detector.ts'
import { firstId, idsPerSlot } from '../../../host/network/slots.ts'
import type { Environment } from '../../../model/environment.ts'
import type { Instance } from '../../../model/instance.ts'
import type { WorkloadSpec } from '../../../model/workload.ts'
import { isSecretName } from '../../../scan/secrets/names.ts'
import type { Introduction } from './messages.ts'

/** Values as short as this are flags and names, whatever their variable is called. */
const shortestValue = 8

const egressOf = ({ egress, egressDomains = [] }: WorkloadSpec): string[] =>
  [...egress.map(({ cidr, port }) => [cidr, port] as const), ...egressDomains.map(({ domain, port }) => [domain, port] as const)].map(([to, port]) =>
    port === undefined ? to : `${to}:${port}`,
  )

/** `secrets`: contents of its files below /run/secrets. */
export const introductionOf = (
  { id, spec: environment }: Environment,
  { id: instance, workload, startedAt, createdAt, origin }: Instance,
  secrets: ReadonlyMap<string, Uint8Array>,
): Introduction => {
  // An update may have taken the workload away that an instance was made from.
  const spec: WorkloadSpec | undefined = environment.workloads[workload]
  const subject: Subject = {
    environment: id,
    environmentName: environment.name,
    instance,
    workload,
    kind: origin?.kind ?? spec?.kind ?? 'service',
    image: origin?.image ?? spec?.image ?? '',
    imageName: spec?.imageName ?? '',
    owner: environment.owner,
    labels: environment.labels,
    startedAt: startedAt ?? createdAt,
    privileged: spec?.capabilities.includes('SYS_ADMIN') ?? false,
    egress: spec === undefined ? [] : egressOf(spec),
    userIds: { first: firstId, each: idsPerSlot },
  }
  const variables = Object.entries(spec?.env ?? {}).flatMap(([name, value]) => (value.length >= shortestValue && isSecretName(name) ? [value] : []))
  return { subject, secrets: [...[...secrets.values()].map(content => Buffer.from(content).toString('utf8')), ...variables] }
}
