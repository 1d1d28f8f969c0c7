/** What users see of policies, by the command against a daemon on the fake backend. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { doing, startFake, until } from '../../../test/cli/fake.ts'

const policy = (name: string, expression: string, message: string, actions: readonly string[]): string => `---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: ${name} }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods] }]
  validations: [{ expression: ${JSON.stringify(expression)}, message: ${JSON.stringify(message)} }]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: ${name} }
spec: { policyName: ${name}, validationActions: ${JSON.stringify(actions)} }
`

describe('policies of the operator', () => {
  let site: Awaited<ReturnType<typeof startFake>>
  const write = (file: string, text: string): void => writeFileSync(join(site.folder, 'policies', file), text)
  before(async () => {
    site = await startFake(folder => {
      const policies = join(folder, 'policies')
      mkdirSync(policies)
      writeFileSync(
        join(policies, 'team.yaml'),
        policy('team-label', "'team' in object.metadata.labels", 'a label team is missing', ['Deny']) +
          policy('cost-centre', "'cost' in environment.labels", 'a label cost would help', ['Warn']),
      )
      return ['--policies', policies]
    })
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
  })
  const events = async (environment: string): Promise<string[]> => (await site.client.events({ environment })).map(({ type }) => type)

  test('what is denied does not run, says by which policy, and leaves a record', async () => {
    const { status, stdout, stderr } = await site.cli(['run', '--name', 'bare', 'fake', ...doing({ print: 'ran\n' }, { exit: 0 })])
    assert.equal(status, 125)
    assert.equal(stdout, '')
    assert.match(stderr, /main is not admitted: a label team is missing \(team-label\/validations\[0\]\)/)
    const found = (await site.client.environments({ all: true })).find(({ name }) => name === 'bare')
    assert.deepEqual([found?.state, found?.cause, found?.instances.length], ['ended', 'denied', 0])
    assert.deepEqual(await events(found?.id ?? ''), [
      'environment.creating',
      'admission.denied',
      'environment.ending',
      'environment.ended',
      'record.sealed',
    ])
  })

  test('what is warned of runs, and is told at once', async () => {
    const { status, stdout, stderr } = await site.cli(['run', '--label', 'team=blue', 'fake', ...doing({ print: 'ran\n' }, { exit: 0 })])
    assert.deepEqual([status, stdout], [0, 'ran\n'])
    assert.match(stderr, /^dayfly: warning: main: a label cost would help \(cost-centre\/validations\[0\]\)\.$/m)
    const quiet = await site.cli(['run', '--label', 'team=blue', '--label', 'cost=1', 'fake', ...doing({ exit: 0 })])
    assert.deepEqual([quiet.status, quiet.stderr], [0, ''])
  })

  test('a secret in the clear is denied by its variable, without its value; as a secret it is none', async () => {
    const secret = randomBytes(12).toString('hex')
    const run = (...options: string[]) => site.cli(['run', '--label', 'team=blue', ...options, 'fake', ...doing({ exit: 0 })])
    const denied = await run('--env', `API_TOKEN=${secret}`, '--name', 'leaky')
    assert.equal(denied.status, 125)
    assert.match(
      denied.stderr,
      /^dayfly: --env: main is not admitted: a secret is given in the clear: .* in env\.API_TOKEN \(images\/secrets\)[\s\S]*--secret/,
    )
    const found = (await site.client.environments({ all: true })).find(({ name }) => name === 'leaky')
    const record = await site.client.events({ environment: found?.id ?? '' })
    assert.ok(record.some(({ type }) => type === 'admission.denied'))
    assert.ok(![denied.stderr, JSON.stringify(record), site.log()].some(text => text.includes(secret)))
    assert.equal((await run('--env', 'API_TOKEN=changeme')).status, 0, 'what everybody knows is none')
    const file = join(site.folder, 'token')
    writeFileSync(file, secret)
    assert.equal((await run('--secret', `API_TOKEN=file:${file}`)).status, 0)
  })

  test('up names fields as the file has them, as admit does, and a label of the file counts as one of the pod', async () => {
    const secret = randomBytes(12).toString('hex')
    const file = join(site.folder, 'fields.yaml')
    const service = (...lines: readonly string[]): string => ['services:', '  web:', '    image: fake', ...lines, ''].join('\n')
    const up = async (text: string, ...options: readonly string[]) => {
      writeFileSync(file, text)
      return await site.cli(['up', '-p', 'fields', ...options, file])
    }
    const admit = async () => await site.cli(['admit', '--policy', join(site.folder, 'policies'), file])
    const variable = await up(service('    labels: { team: blue }', `    environment: { API_TOKEN: ${secret} }`))
    assert.equal(variable.status, 125)
    assert.match(variable.stderr, /^dayfly: services\.web\.environment\.API_TOKEN: web is not admitted: a secret/m)
    assert.match((await admit()).stdout, /images\/secrets: services\.web\.environment\.API_TOKEN: /)
    const json = await site.cli(['--json', 'up', '-p', 'fields', file])
    assert.equal(JSON.parse(json.stderr.trim().split('\n').at(-1) ?? '').error.field, 'services.web.environment.API_TOKEN')
    const label = await up(service('    labels:', '      team: blue', `      api.token: ${secret}`))
    assert.match(label.stderr, /^dayfly: services\.web\.labels\.api\.token: web is not admitted/m)
    assert.match((await admit()).stdout, /fields\.yaml:6: images\/secrets: services\.web\.labels\.api\.token: /)
    const ofCommandLine = await up(service('    labels: { team: blue }'), '--label', `api.token=${secret}`)
    assert.match(ofCommandLine.stderr, /^dayfly: --label: web is not admitted/m)
    const found = (await site.client.environments({ all: true })).filter(({ name }) => name === 'fields')
    assert.ok(found.length > 0 && found.every(({ cause }) => cause === 'denied'))
    assert.ok(!JSON.stringify(found).includes(secret) && !site.log().includes(secret))
    const other = await up(service('    labels: { team: blue }', `    command: ${JSON.stringify(doing({ sleep: 600_000 }))}`))
    assert.equal(other.status, 0, other.stderr)
    assert.equal((await site.cli(['down', 'fields'])).status, 0)
    assert.equal((await admit()).status, 0)
  })

  test('up is asked for each workload; detached ones are warned of too', async () => {
    const file = join(site.folder, 'compose.yaml')
    writeFileSync(file, `services:\n  web:\n    image: fake\n    command: ${JSON.stringify(doing({ on: 'SIGTERM', exit: 0 }, { sleep: 600_000 }))}\n`)
    const bare = await site.cli(['up', '-p', 'shop', file])
    assert.equal(bare.status, 125)
    assert.match(bare.stderr, /web is not admitted: a label team is missing/)
    const labelled = await site.cli(['up', '-p', 'shop', '--label', 'team=blue', file])
    assert.equal(labelled.status, 0, labelled.stderr)
    assert.match(labelled.stderr, /warning: web: a label cost would help/)
    assert.equal((await site.cli(['down', 'shop'])).status, 0)
    const detached = await site.cli(['run', '-d', '--label', 'team=blue', 'fake', ...doing({ exit: 0 })])
    assert.match(detached.stderr, /warning: main: a label cost would help/)
  })

  test('files that change are in force a moment later; faulty ones change nothing', async () => {
    const run = () => site.cli(['run', '--label', 'team=blue', 'fake', ...doing({ exit: 0 })])
    write('more.yaml', policy('nothing', 'false', 'nothing runs here', ['Deny']))
    await until(async () => (await run()).status === 125)
    write('more.yaml', policy('nothing', 'fals', 'nothing runs here', ['Deny']))
    await until(() => site.log().includes('the policy files are faulty'))
    assert.equal((await run()).status, 125, 'what was in force stays so')
    rmSync(join(site.folder, 'policies', 'more.yaml'))
    await until(async () => (await run()).status === 0)
  })
})

test('a daemon does not start with policies that are faulty, and says where', async () => {
  await assert.rejects(
    startFake(folder => {
      writeFileSync(join(folder, 'p.yaml'), policy('broken', 'object.metadata.labels[', 'x', ['Deny']))
      return ['--policies', folder]
    }),
    /p\.yaml:\d+/,
  )
})
