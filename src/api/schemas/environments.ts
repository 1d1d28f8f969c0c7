/** Wire schemas of environments and instances. Times are milliseconds since the Unix epoch, durations milliseconds, sizes bytes. */
import { z } from 'zod'
import { AccessEntry } from '../../model/access.ts'
import { EndCause, EnvironmentName, EnvironmentSpec, EnvironmentState } from '../../model/environment.ts'
import { ExitStatus, InstanceState } from '../../model/instance.ts'
import { Lease } from '../../model/lease.ts'
import { TeamName } from '../../model/principal.ts'
import { EgressRule, HostName, Limits, Runtime, SecretName, SignalName, WorkloadKind, WorkloadSpec } from '../../model/workload.ts'
import { cidrFault } from '../cidr.ts'
import { Next } from '../pages.ts'
import { RegistryAuth } from './images.ts'

const noNul = (text: string): boolean => !text.includes('\0')
const Text = z.string().refine(noNul, 'must not contain a NUL character')
const EnvironmentVariableName = z.string().regex(/^[^=\0]+$/, 'a variable name is not empty and has no "="')
const EgressRequest = EgressRule.extend({
  cidr: z.string().check(context => {
    const fault = cidrFault(context.value)
    if (fault !== undefined) context.issues.push({ code: 'custom', message: fault, input: context.value })
  }),
})

/** ms, at most a day. */
export const QueueTime = z
  .int()
  .min(1)
  .max(86_400_000)
  .optional()
  .describe('When it is over a quota, or over what the host has room for: wait in line so many milliseconds. Left out, it is refused.')

/** Where something waits that is over a quota. */
export const QueuedView = z
  .object({
    place: z.int().min(1).describe('In line; the first is 1.'),
    reason: z.string().describe('What it waits for.'),
  })
  .meta({ id: 'Queued' })
export type QueuedView = z.infer<typeof QueuedView>

export const Team = TeamName.optional().describe('Whose it is: one of the caller’s teams. Left out: the first of them; of the local owner `default`.')

/** What to run, as the user means it: what is left out comes from the image or from Dayfly's defaults. */
export const RunRequest = z
  .strictObject({
    image: z.string().min(1).describe('A name, or a manifest digest `sha256:…`.'),
    pull: z.enum(['missing', 'always', 'never']).default('missing').describe('When to fetch the image from its registry.'),
    auth: RegistryAuth.optional(),
    name: EnvironmentName.optional().describe('Unique among environments that have not ended. Generated when left out.'),
    team: Team,
    hostname: HostName.optional().describe("What its processes are told that the host is called. Left out: the environment's name."),
    kind: WorkloadKind.optional().describe('`sandbox` with a terminal, else `job`, when left out.'),
    labels: EnvironmentSpec.shape.labels.default({}),
    lease: Lease.partial().strict().default({}),
    command: z.array(Text).optional().describe("Replaces the image's command."),
    entrypoint: z.array(Text).optional().describe("Replaces the image's entry point, and with it its command."),
    env: z.record(EnvironmentVariableName, Text).default({}).describe("Added to the image's environment."),
    user: WorkloadSpec.shape.user.optional().describe('`user[:group]`, names of the image or numbers.'),
    workdir: WorkloadSpec.shape.workdir.optional(),
    readOnly: z.boolean().default(false).describe('A root file system that cannot be written to.'),
    capabilities: WorkloadSpec.shape.capabilities.default([]).describe('Beyond the documented minimum, without `CAP_`.'),
    limits: Limits.partial().strict().default({}),
    egress: z.array(EgressRequest).default([]).describe('Destinations that may be reached. None is the default.'),
    runtime: Runtime.default('crun'),
    tty: z.boolean().default(false),
    stdin: z.boolean().default(false).describe('Keeps stdin open for the stream or an attach.'),
    stopSignal: SignalName.optional(),
    grace: WorkloadSpec.shape.grace.optional().describe('Milliseconds between the stop signal and SIGKILL.'),
    logLimit: WorkloadSpec.shape.logLimit.optional().describe('Bytes of output that are kept.'),
    secrets: z.record(SecretName, z.base64('must be base64')).default({}).describe('Contents of files under /run/secrets, by name. Never stored.'),
    queue: QueueTime,
  })
  .meta({ id: 'RunRequest' })
export type RunRequest = z.output<typeof RunRequest>
/** The same before its defaults are filled in: what a client sends. */
export type RunInput = z.input<typeof RunRequest>

export const ExitView = ExitStatus.extend({ signal: z.int().nullable().describe('Number of the signal that ended it.') }).meta({ id: 'Exit' })
export type ExitView = z.infer<typeof ExitView>

export const InstanceView = z
  .object({
    id: z.string(),
    environment: z.string(),
    workload: z.string(),
    state: InstanceState,
    reason: z.string(),
    createdAt: z.number(),
    startedAt: z.number().nullable(),
    pid: z.int().nullable().describe('Host process id of its first process, while it runs.'),
    start: z.enum(['cold', 'prepared']).nullable(),
    exit: ExitView.nullable(),
    replica: z.int().describe("Which of its workload's places it fills, from 1."),
    address: z.string().nullable().describe("In the environment's network."),
  })
  .meta({ id: 'Instance' })
export type InstanceView = z.infer<typeof InstanceView>

export const EnvironmentView = z
  .object({
    id: z.string(),
    name: z.string(),
    owner: z.string(),
    team: z.string(),
    state: EnvironmentState,
    reason: z.string(),
    cause: EndCause.nullable(),
    labels: z.record(z.string(), z.string()),
    lease: Lease,
    createdAt: z.number(),
    endedAt: z.number().nullable(),
    expiresAt: z.number().nullable().describe('When its lease ends it if nothing happens to it until then. null once it is ending.'),
    expiresBy: z.enum(['ttl', 'idle']).nullable(),
    workloads: z.record(z.string(), WorkloadSpec),
    instances: z.array(InstanceView),
  })
  .meta({ id: 'Environment' })
export type EnvironmentView = z.infer<typeof EnvironmentView>

/** What a policy warns of when something is admitted. */
export const WarningView = z
  .object({
    workload: z.string(),
    policy: z.string(),
    rule: z.string(),
    message: z.string(),
    remedy: z.string().nullable(),
    field: z.string().nullable().describe('Of the pod that the workload is judged as.'),
  })
  .meta({ id: 'Warning' })
export type WarningView = z.infer<typeof WarningView>

export const StartedView = EnvironmentView.extend({ warnings: z.array(WarningView).describe('For people, at once.') }).meta({ id: 'Started' })
export type StartedView = z.infer<typeof StartedView>

export const EnvironmentList = z.object({ environments: z.array(EnvironmentView), next: Next }).meta({ id: 'EnvironmentList' })
export const InstanceList = z.object({ instances: z.array(InstanceView), next: Next }).meta({ id: 'InstanceList' })

export const ExtendRequest = z
  .strictObject({ ttl: Lease.shape.ttl.describe('The environment may live this many more milliseconds from now.') })
  .meta({ id: 'ExtendRequest' })
export const StopRequest = z.strictObject({ grace: WorkloadSpec.shape.grace.optional() }).meta({ id: 'StopRequest' })
export const KillRequest = z.strictObject({ signal: SignalName.default('SIGKILL') }).meta({ id: 'KillRequest' })

export const ExecInput = z
  .strictObject({
    command: z.array(Text).min(1),
    env: z.record(EnvironmentVariableName, Text).default({}),
    user: WorkloadSpec.shape.user.optional(),
    workdir: WorkloadSpec.shape.workdir.optional(),
    tty: z.boolean().default(false),
    rows: z.int().min(0).max(65_535).default(24),
    columns: z.int().min(0).max(65_535).default(80),
  })
  .meta({ id: 'ExecRequest' })
export type ExecInput = z.input<typeof ExecInput>

/** The payload of an exit frame. */
export const ExitFrame = z.object({ code: z.int(), instance: InstanceView.nullable() }).meta({ id: 'ExitFrame' })
export type ExitFrame = z.infer<typeof ExitFrame>

/** One piece of output. `data` is UTF-8 text, or base64 where the bytes are not UTF-8. */
export const LogEntry = z
  .object({ time: z.number(), stream: z.enum(['stdout', 'stderr']), data: z.string(), encoding: z.enum(['utf-8', 'base64']) })
  .meta({ id: 'LogEntry' })
export type LogEntry = z.infer<typeof LogEntry>

/** One request or connection through the gateway. */
export const AccessView = AccessEntry.meta({ id: 'AccessEntry' })
export type AccessView = z.infer<typeof AccessView>
