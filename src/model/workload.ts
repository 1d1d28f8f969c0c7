import { z } from 'zod'
import { signalNumber } from '../base/signals.ts'
import { Deployment } from './deployment.ts'
import { Mount } from './mount.ts'
import { parseNetwork } from './network.ts'

export const WorkloadKind = z.enum(['service', 'job', 'function', 'sandbox', 'agent'])
export type WorkloadKind = z.infer<typeof WorkloadKind>

export const Runtime = z.enum(['crun', 'runsc'])
export type Runtime = z.infer<typeof Runtime>

/** Always present: no instance runs without every one of these. */
export const Limits = z.object({
  /** Cores, e.g. 0.5. */
  cpus: z.number().min(0.01).max(1024),
  /** Bytes of memory and swap together. */
  memory: z.int().min(4 * 1024 * 1024),
  /** Processes and threads. */
  pids: z.int().min(1).max(4_194_304),
  /** Bytes per second, each of read and write, on the disk that holds the instance's scratch space. */
  io: z.int().min(65_536),
})
export type Limits = z.infer<typeof Limits>
export const defaultLimits: Limits = { cpus: 1, memory: 512 * 1024 * 1024, pids: 512, io: 200 * 1024 * 1024 }

/** One destination that egress is opened to. No ports means every port of both protocols. */
export const EgressRule = z.object({
  /** IPv4 network, e.g. `192.0.2.0/24`. */
  cidr: z.string().refine(text => parseNetwork(text) !== undefined, 'an IPv4 network like 192.0.2.0/24, no bit set beyond its prefix'),
  port: z.int().min(1).max(65_535).optional(),
})
export type EgressRule = z.infer<typeof EgressRule>

/** Egress by name: `registry.example.org`, or `*.example.org` for every name below it but not itself. */
export const EgressDomain = z.object({
  domain: z
    .string()
    .max(253)
    .regex(
      /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
      'a domain name in lower case, like registry.example.org or *.example.org',
    ),
  port: z.int().min(1).max(65_535).optional(),
})
export type EgressDomain = z.infer<typeof EgressDomain>

/** What the kernel takes as an argument or a variable ends at the first NUL, and is bytes: half of a pair of UTF-16 stands for none. */
const Word = z
  .string()
  .refine(text => !text.includes('\0'), 'a NUL character cannot be passed to a process')
  .refine(text => text.isWellFormed(), 'half of a surrogate pair cannot be passed to a process')

/** `SIGTERM`: by name, with SIG. */
export const SignalName = z.string().refine(name => signalNumber(name) !== undefined, 'a signal by its name, like SIGTERM')

/** The file that a secret becomes under /run/secrets. */
export const SecretName = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/, 'letters, digits, `_`, `.` and `-`, at most 128, not starting with `.` or `-`')

/** The name of a workload within its environment, as compose files have it; also its instances' host name where an environment has several. */
export const WorkloadName = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/, 'letters, digits and inner `_`, `.` and `-`, at most 63')

/** What a process is told that its host is called: one or more labels of RFC 1123. Linux takes 64 bytes. */
export const HostName = z
  .string()
  .max(64, 'at most 64 characters')
  .regex(
    /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/,
    'letters, digits and inner hyphens, with dots between labels of at most 63, like web or web.example.org',
  )

/** What to run: everything that does not differ between two instances of one workload. */
export const WorkloadSpec = z.object({
  kind: WorkloadKind,
  /** Manifest digest of the image in the local store, `sha256:…`. Already resolved: a tag never gets this far. */
  image: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'a digest like sha256:…'),
  /** What the user wrote, for people. */
  imageName: z.string(),
  /** argv, the image's entry point included; never empty. */
  command: z
    .array(Word)
    .min(1, 'there is no command: neither the image nor the request names one')
    .refine(words => words[0] !== '', 'the first word is empty'),
  /** The whole environment of the process, the image's included. */
  env: z.record(
    Word.refine(name => name !== '' && !name.includes('='), 'the name of a variable is not empty and has no `=`'),
    Word,
  ),
  /** `user[:group]` names or ids, resolved in the image. */
  user: z.string().regex(/^([A-Za-z0-9_][A-Za-z0-9_.-]*\$?(:[A-Za-z0-9_][A-Za-z0-9_.-]*\$?)?)?$/, 'user, uid, user:group or uid:gid'),
  workdir: Word.refine(path => path.startsWith('/'), 'an absolute path'),
  readOnly: z.boolean(),
  /** Capabilities asked for beyond the documented minimum, without `CAP_`. */
  capabilities: z.array(z.string().regex(/^(?!CAP_)[A-Z][A-Z_]*$/, 'a capability without CAP_, like NET_BIND_SERVICE')),
  limits: Limits,
  egress: z.array(EgressRule),
  runtime: Runtime,
  /** Left out: the name of the environment, or of the workload where there are several. Given late, so it does not keep containers from being prepared. */
  hostname: HostName.optional(),
  tty: z.boolean(),
  /** Keep stdin open for an attach; otherwise it is /dev/null. */
  stdin: z.boolean(),
  stopSignal: SignalName,
  /** Milliseconds between the stop signal and SIGKILL. */
  grace: z.int().min(0).max(600_000),
  /** Bytes of output kept per instance, both streams together; what exceeds it is counted. */
  logLimit: z.int().min(1024),
  /** Names of the files under /run/secrets. Their contents are never part of a spec. */
  secrets: z.array(SecretName).refine(names => new Set(names).size === names.length, 'a name is there twice'),
  /** Beside `egress`. */
  egressDomains: z.array(EgressDomain).optional(),
  mounts: z.array(Mount).optional(),
  /** Of its network and IPC namespace only, e.g. `net.core.somaxconn`. */
  sysctls: z
    .record(z.string().regex(/^(net|kernel\.(msg|sem|shm)|fs\.mqueue)[a-z0-9_.*/-]*$/, 'a sysctl of a namespace, like net.core.somaxconn'), Word)
    .optional(),
  /** By name without RLIMIT_, e.g. `nofile`; -1 for no limit. */
  ulimits: z.record(z.string().regex(/^[a-z]+$/), z.object({ soft: z.int().min(-1), hard: z.int().min(-1) })).optional(),
  /** Bytes of /dev/shm. */
  shmSize: z.int().min(4096).optional(),
  /** A small init as first process, which reaps orphans and hands signals on. */
  init: z.boolean().optional(),
  /** Further groups of its user: names of the image, or ids. */
  groups: z.array(z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/)).optional(),
  /** Further lines of /etc/hosts: name to address. */
  hosts: z.record(z.string().regex(/^[A-Za-z0-9_.-]+$/), z.string().regex(/^[0-9a-fA-F.:]+$/)).optional(),
  /** Its own, beside those of the environment: for policies. A file may call them anything. */
  labels: z.record(Word.min(1).max(512), Word.max(65_536)).optional(),
  /** Of a workload that is kept running. Without one it has one instance, and its environment ends with it. */
  deployment: Deployment.optional(),
})
export type WorkloadSpec = z.infer<typeof WorkloadSpec>
