/** The whole life of an environment, in bounded size: what its report is made of. Every list says how many more there are. Times are wall ms. */
import { z } from 'zod'
import { EndCause, EnvironmentState } from './environment.ts'
import { ExitStatus, InstanceState } from './instance.ts'
import { Cost, InstanceUsage } from './usage.ts'

/** The first of them, and how many are left out. */
const some = <S extends z.ZodType>(item: S) => z.object({ items: z.array(item), more: z.int().min(0) })
export interface Some<T> {
  items: T[]
  more: number
}

const Time = z.number()
const Amount = z.number()

export const ReportWorkload = z.object({
  name: z.string(),
  kind: z.string(),
  image: z.string().describe('Digest.'),
  imageName: z.string().describe('What was asked for.'),
  command: z.array(z.string()),
  user: z.string(),
  runtime: z.string(),
  cpus: Amount,
  memory: Amount,
  egress: z.array(z.string()).describe('What its policy opens; empty: closed.'),
})

export const ReportImage = z.object({
  digest: z.string(),
  names: z.array(z.string()),
  distribution: z.string().nullable(),
  packages: z.int(),
  /** By severity. */
  vulnerabilities: z.record(z.string(), z.int()),
  problems: z.array(z.string()),
  scannedAt: Time.nullable(),
})

export const ReportInstance = z.object({
  id: z.string(),
  workload: z.string(),
  image: z.string().nullable(),
  replica: z.int(),
  state: InstanceState,
  reason: z.string(),
  start: z.enum(['cold', 'prepared']).nullable(),
  createdAt: Time,
  startedAt: Time.nullable(),
  endedAt: Time.nullable(),
  exit: ExitStatus.nullable(),
  /** Bytes of its log. */
  log: z.int(),
  usage: InstanceUsage.nullable(),
})
export type ReportInstance = z.infer<typeof ReportInstance>

const Objection = z.object({ policy: z.string(), rule: z.string(), message: z.string(), exemption: z.string().nullable() })
export const ReportVerdict = z.object({
  time: Time,
  workload: z.string(),
  allowed: z.boolean(),
  actor: z.string(),
  reason: z.string(),
  denials: z.array(Objection),
  warnings: z.array(Objection),
  audits: z.array(Objection),
  more: z.int().describe('Objections that the record does not have.'),
})

export const ReportEvent = z.object({
  sequence: z.int(),
  time: Time,
  type: z.string(),
  instance: z.string().nullable(),
  actor: z.string(),
  reason: z.string(),
})

export const ReportProcess = z.object({
  instance: z.string(),
  pid: z.int().describe('In its own pid namespace.'),
  /** Index of its parent in the list, where that is there. */
  parent: z.int().nullable(),
  name: z.string(),
  exe: z.string().nullable(),
  args: z.array(z.string()),
  /** Of the arguments, that are not there. */
  argsMore: z.int(),
  sha256: z.string().nullable(),
  /** `upper`: the file is not the image's. `memfd`: it is in no file system. */
  flags: z.array(z.string()),
  uid: z.int(),
  startedAt: Time,
  endedAt: Time.nullable(),
  /** Wait status. */
  result: z.int().nullable(),
})
export type ReportProcess = z.infer<typeof ReportProcess>

export const ReportPeer = z.object({
  /** `out`: it connected or sent. `in`: it was connected to. `name`: it asked for a name. `denied`: closed egress stopped it. `gateway`: requests came in. */
  kind: z.enum(['out', 'in', 'name', 'denied', 'gateway']),
  instance: z.string().nullable(),
  workload: z.string().nullable(),
  peer: z.string(),
  /** The instance that the peer's address is of, in this environment. */
  peerInstance: z.string().nullable(),
  port: z.int().nullable(),
  protocol: z.string(),
  count: z.int(),
  /** How many of them failed. */
  failed: z.int(),
  first: Time,
  last: Time,
})
export type ReportPeer = z.infer<typeof ReportPeer>

export const ReportFinding = z.object({
  time: Time,
  /** `vulnerability`, `detection`, `response`, `policy`. */
  kind: z.string(),
  /** A severity, a priority or an action. */
  severity: z.string(),
  id: z.string(),
  instance: z.string().nullable(),
  workload: z.string().nullable(),
  message: z.string(),
  tags: z.array(z.string()),
})

export const ReportSeries = z.object({
  instance: z.string(),
  /** At most 240, of equal spans: [time, cores, bytes of memory]. */
  points: z.array(z.tuple([Time, Amount, Amount])),
})

export const Report = z.object({
  environment: z.object({
    id: z.string(),
    name: z.string(),
    owner: z.string(),
    labels: z.record(z.string(), z.string()),
    state: EnvironmentState,
    reason: z.string(),
    cause: EndCause.nullable(),
    createdBy: z.string().describe('Who asked for it.'),
    createdAt: Time,
    endedAt: Time.nullable(),
    lease: z.object({ ttl: Amount, idle: Amount, retention: Amount, onIdle: z.string() }),
    isolated: z.boolean(),
  }),
  workloads: z.array(ReportWorkload),
  images: some(ReportImage),
  instances: some(ReportInstance),
  verdicts: some(ReportVerdict),
  events: some(ReportEvent),
  /** `kept`: whether anybody watched what it did. Counts are of all events, by type. */
  activity: z.object({ kept: z.boolean(), lost: z.int(), counts: z.record(z.string(), z.int()), complete: z.boolean() }),
  processes: some(ReportProcess),
  network: some(ReportPeer),
  findings: some(ReportFinding),
  resources: some(ReportSeries),
  cost: z.object({ currency: z.string(), measured: z.int(), cost: Cost }),
  seal: z.object({
    sealed: z.boolean(),
    entries: z.int(),
    head: z.string(),
    key: z.string().nullable(),
    signedAt: z.string().nullable(),
  }),
})
export type Report = z.infer<typeof Report>
