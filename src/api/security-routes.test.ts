/** Routes about security and the host, on a real store and the kernel in memory. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { z } from 'zod'
import { doing } from '../../test/cli/fake.ts'
import { startDaemon } from '../../test/daemon.ts'
import { request, textOf } from './client/http.ts'
import { HostView } from './schemas/host.ts'
import { ExemptionList, PolicyList, RuleList, TriedPolicyView, TriedRuleView } from './schemas/rules.ts'
import { DetectionList, FindingList, InventoryList } from './schemas/security.ts'
import { Problem } from './schemas/system.ts'

const folder = mkdtempSync('/tmp/dayfly-security-routes-')
const daemon = startDaemon({ folder, env: { ...process.env, DAYFLY_BACKEND: 'fake' } })
const socketPath = join(daemon.runDir, 'dayfly.sock')

before(() => daemon.ready)
after(async () => {
  await daemon[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const answer = async (method: 'GET' | 'POST', path: string, body?: object): Promise<{ status: number; document: unknown }> => {
  const response = await request({ socketPath, method, path, ...(body === undefined ? {} : { body }) })
  return { status: response.status, document: JSON.parse(await textOf(response)) }
}

/** The answer, which says no more than its schema. */
const checked = async <S extends z.ZodType>(schema: S, method: 'GET' | 'POST', path: string, body?: object): Promise<z.output<S>> => {
  const { status, document } = await answer(method, path, body)
  assert.equal(status, 200, JSON.stringify(document))
  const parsed = schema.parse(document)
  assert.deepEqual(parsed, document)
  return parsed
}

const failure = async (method: 'GET' | 'POST', path: string, body?: object): Promise<Problem> =>
  Problem.parse((await answer(method, path, body)).document)

test('lists are what their schemas say, narrowed and refused by field', async () => {
  await checked(DetectionList, 'GET', '/v1/detections?priority=warning&limit=3')
  await checked(InventoryList, 'GET', '/v1/inventory')
  const found = await checked(FindingList, 'GET', '/v1/findings?severity=low&running=true&limit=5')
  assert.equal(found.total, found.findings.length)
  for (const [path, field] of [
    ['/v1/findings?severity=awful', 'severity'],
    ['/v1/findings?limit=501', 'limit'],
    ['/v1/findings?after=nothing', 'after'],
    ['/v1/detections?priority=loud', 'priority'],
    ['/v1/inventory/latest', 'digest'],
  ] as const) {
    const { code, field: at } = await failure('GET', path)
    assert.deepEqual([code, at], ['invalid', field], path)
  }
  assert.equal((await failure('GET', '/v1/detections/4711')).code, 'not_found')
  assert.equal((await failure('GET', `/v1/inventory/sha256:${'0'.repeat(64)}`)).code, 'not_found')
  assert.equal((await failure('GET', '/v1/detections?environment=nowhere')).code, 'not_found')
})

test('a start that policy denies is a finding, once for all tries', async () => {
  const before = await checked(FindingList, 'GET', '/v1/findings?kind=policy')
  const denied = { image: 'fake', name: 'denied', command: doing({ sleep: 1 }), capabilities: ['NET_RAW'] }
  for (let tries = 0; tries < 2; tries++) assert.equal((await answer('POST', '/v1/environments', denied)).status, 403)
  const { findings, total } = await checked(FindingList, 'GET', '/v1/findings?kind=policy')
  assert.ok(total > before.total)
  const one = findings.find(({ id }) => id.startsWith('pod-security-baseline/'))
  assert.ok(one, JSON.stringify(findings.map(({ id }) => id)))
  assert.deepEqual([one.kind, one.count, one.environments, one.running, one.images], ['policy', 2, 2, 0, 0])
  assert.equal((await checked(FindingList, 'GET', '/v1/findings?kind=detection')).total, 0)
  const { policies } = await checked(PolicyList, 'GET', '/v1/policies')
  const baseline = policies.find(({ name }) => name === 'pod-security-baseline')
  assert.deepEqual([baseline?.source, baseline?.denied, baseline?.hits.count], ['built in', 2, 2])
})

test('what is in force is told: rules with their files, and no exemption', async () => {
  const { rules, problems, files } = await checked(RuleList, 'GET', '/v1/rules')
  assert.deepEqual([problems, files], [[], []])
  assert.ok(rules.length > 20 && rules.every(({ file, line }) => file.startsWith('dayfly/') && line > 0))
  assert.deepEqual((await checked(ExemptionList, 'GET', '/v1/exemptions')).exemptions, [])
})

test('the playground judges, and leaves nothing behind', async () => {
  const sample = 'apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec: { containers: [{ name: main, image: x }] }\n'
  const tried = await checked(TriedPolicyView, 'POST', '/v1/playground/policy', { policy: "object.metadata.name == 'other'", sample })
  assert.deepEqual(
    tried.results.map(({ verdict }) => verdict),
    ['denied'],
  )
  const rules = '- rule: Own\n  desc: x\n  condition: evt.type = execve\n  output: x\n  priority: ALERT\n'
  const { id } = await daemon.client.create({ image: 'fake', name: 'tried', command: doing({ sleep: 600_000 }) })
  const judged = await checked(TriedRuleView, 'POST', '/v1/playground/rule', { rules, environment: id })
  assert.deepEqual([judged.problems, judged.rules.map(({ name }) => name), judged.complete], [[], ['Own'], true])
  assert.equal((await failure('POST', '/v1/playground/rule', { rules, environment: 'nowhere' })).code, 'not_found')
  assert.equal((await failure('POST', '/v1/playground/rule', { rules })).field, 'environment')
  assert.equal((await failure('POST', '/v1/playground/policy', { policy: 'x'.repeat(65_537), sample })).field, 'policy')
  assert.ok(!(await checked(RuleList, 'GET', '/v1/rules')).rules.some(({ name }) => name === 'Own'))
  assert.ok(!(await checked(PolicyList, 'GET', '/v1/policies')).policies.some(({ name }) => name === 'playground'))
})

test('the host says what is promised', async () => {
  const host = await checked(HostView, 'GET', '/v1/host?fresh=true')
  const live = await daemon.client.instances()
  assert.equal(host.capacity.promised.instances, live.filter(({ state }) => state === 'running').length)
  assert.ok(host.capacity.memory.total > 0 && host.capacity.cpus.count > 0)
})
