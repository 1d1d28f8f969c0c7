/**
 * What a verdict costs: the restricted Pod Security Standard on one pod, as CEL inside the policies' thread and as the built-in code; a whole decision of the gate,
 * new and known already; and how long an endless comprehension runs before it is cut.
 *
 *     node bench/admission.ts
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createAdmission } from '../src/apps/daemon/admission.ts'
import { createGiven } from '../src/apps/daemon/given.ts'
import { systemClock } from '../src/base/clock.ts'
import type { EnvironmentSpec } from '../src/model/environment.ts'
import type { VulnerabilityFinding } from '../src/model/finding.ts'
import { assemble } from '../src/policy/assemble.ts'
import type { AdmissionRequest, ImageEvidence } from '../src/policy/decision.ts'
import { loadPolicies } from '../src/policy/kubernetes/load.ts'
import { createPodSecurityPolicy } from '../src/policy/pod-security/policy.ts'
import { newestVersion } from '../src/policy/pod-security/standards.ts'
import { defaultLimits } from '../src/policy/policies.ts'
import { createPolicyWorker } from '../src/policy/worker/worker.ts'
import { openSecretSearch } from '../src/scan/secret-search.ts'
import { readFacts } from './facts.ts'
import { median, quantile } from './measure.ts'

const root = resolve(import.meta.dirname, '..')
const rounds = 2000
const clock = systemClock()
const digest = `sha256:${'a'.repeat(64)}`

const finding = (index: number): VulnerabilityFinding => ({
  ...{ kind: 'vulnerability', id: `CVE-2026-${1000 + index}`, severity: 'medium', title: 'Something that matters to somebody', places: [] },
  ...{ fingerprint: '0'.repeat(32), package: { purl: 'pkg:deb/debian/openssl@3.0.11', name: 'openssl', version: '3.0.11' } },
  ...{ aliases: [], ratings: [], publishedAt: 1 },
})
const evidence: ImageEvidence = {
  ...{ name: `web@${digest}`, digest, labels: {}, problems: [], signatures: [], dataFrom: clock.wall() },
  findings: Array.from({ length: 300 }, (_, index) => finding(index)),
}

const securityContext = {
  ...{ allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } },
}
const request: AdmissionRequest = {
  object: {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', labels: {} } },
    spec: {
      containers: [{ name: 'web', image: evidence.name, securityContext }],
      initContainers: [{ name: 'init', image: evidence.name, securityContext }],
      volumes: [{ name: 'data', emptyDir: {} }],
    },
  },
  ...{ operation: 'CREATE', namespace: 'shop', namespaceLabels: {}, userInfo: { username: 'u', groups: [] } },
  ...{ instance: undefined, environment: undefined, images: { web: evidence }, now: clock.wall() },
}

/** ms of each of `rounds` rounds; what comes before them warms the code. */
const timed = async (work: (round: number) => Promise<number> | number): Promise<number[]> => {
  for (let round = 0; round < 300; round++) await work(-1 - round)
  const times: number[] = []
  for (let round = 0; round < rounds; round++) times.push(await work(round))
  return times
}
const elapsed = (work: () => unknown): number => {
  const begin = performance.now()
  work()
  return performance.now() - begin
}

const file = 'examples/policies/pod-security-restricted.yaml'
const { set } = loadPolicies([{ path: file, text: readFileSync(join(root, file), 'utf8') }])
const measured: [string, number[]][] = []
{
  await using worker = createPolicyWorker(set, defaultLimits)
  const inside = await timed(async () => {
    const outcome = await worker.evaluate(request)
    if ('failure' in outcome || outcome.rulings.length > 0) throw new Error(`not allowed: ${JSON.stringify(outcome)}`)
    return outcome.microseconds / 1000
  })
  measured.push(['restricted, in CEL, inside the thread', inside])
  const begin = async () => {
    const before = performance.now()
    await worker.evaluate(request)
    return performance.now() - before
  }
  measured.push(['the same with the way there and back', await timed(begin)])
}
const builtIn = createPodSecurityPolicy({ level: 'restricted', version: newestVersion, action: 'deny' })
measured.push(['restricted, built in', await timed(() => elapsed(() => builtIn.evaluate(request)))])

const spec = (name: string): EnvironmentSpec => ({
  ...{ name, owner: 'bench', labels: {}, lease: { ttl: 3_600_000, idle: 1_800_000, retention: 86_400_000 } },
  workloads: {
    main: {
      ...{ kind: 'job', image: digest, imageName: evidence.name, command: ['/bin/echo', 'hello'], env: { PATH: '/usr/bin:/bin' }, user: '1000' },
      ...{ workdir: '/', readOnly: false, capabilities: [], limits: { cpus: 1, memory: 512 * 1024 * 1024, pids: 512, io: 200 * 1024 * 1024 } },
      ...{ egress: [], runtime: 'crun', tty: false, stdin: false, stopSignal: 'SIGTERM', grace: 10_000, logLimit: 1_000_000, secrets: [] },
    },
  },
})
{
  await using policies = assemble([], { preset: 'strict', looking: true, now: clock.wall() }).enforce()
  const given = createGiven(openSecretSearch({ salt: Buffer.alloc(16) }).inFields)
  const admission = createAdmission({ policies: () => policies, evidenceOf: async () => evidence, uidOf: async () => 1000, given, clock })
  const actor = { kind: 'user', name: 'bench' } as const
  const { signal } = new AbortController()
  const ask = async (name: string): Promise<number> => {
    const { decision, took } = await admission.admit({ spec: spec(name), workload: 'main', operation: 'CREATE', actor }, signal)
    if (decision.verdict !== 'allowed') throw new Error(`denied: ${JSON.stringify(decision.denials)}`)
    return took
  }
  measured.push(['a decision of the gate, preset strict, 300 findings', await timed(round => ask(`new-${round}`))])
  measured.push(['the same, known already', await timed(() => ask('known'))])
}

const endless = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: endless }
spec:
  matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: ['*'], resources: [pods] }] }
  variables: [{ name: many, expression: "[1,2,3,4,5,6,7,8,9,10].map(a, [1,2,3,4,5,6,7,8,9,10].map(b, a * b))" }]
  validations: [{ expression: "variables.many.all(a, variables.many.all(b, variables.many.all(c, variables.many.all(d, variables.many.all(e, variables.many.all(f, size(a) + size(b) + size(c) + size(d) + size(e) + size(f) > 0))))))" }]
`
{
  const { set: bomb } = loadPolicies([{ path: 'endless.yaml', text: endless }])
  const boundless = { ...defaultLimits, cost: { expression: Number.MAX_SAFE_INTEGER, policy: Number.MAX_SAFE_INTEGER } }
  await using worker = createPolicyWorker(bomb, boundless)
  const cuts: number[] = []
  for (let round = 0; round < 5; round++) {
    const begin = performance.now()
    const outcome = await worker.evaluate(request)
    if (!('failure' in outcome)) throw new Error('it was not cut')
    if (round > 0) cuts.push(performance.now() - begin) // The first waits for the thread to start.
  }
  measured.push(['an endless comprehension, until it is denied; a new thread starts first', cuts])
}

const facts = readFacts()
const text = [
  `${facts.date.slice(0, 10)} · ${facts.system} · ${facts.processor}, ${facts.cores} cores · the restricted Pod Security Standard on a pod with two containers`,
  '',
  '|  | p50, ms | p99, ms |',
  '|---|---:|---:|',
  ...measured.map(([name, times]) => `| ${name} | ${median(times).toFixed(3)} | ${quantile(times, 0.99).toFixed(3)} |`),
  '',
].join('\n')
console.log(text)
mkdirSync(join(root, 'bench/results'), { recursive: true })
writeFileSync(join(root, 'bench/results/admission.md'), text)
