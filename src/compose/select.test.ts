// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables of compose files look like that
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { memorySources } from '../../test/compose/sources.ts'
import type { Loaded } from './compose.ts'
import { load } from './compose.ts'
import { draftOf } from './draft.ts'
import { printPlain } from './print.ts'
import type { LoadRequest } from './resolve.ts'
import { resolveModel } from './resolve.ts'

const request = (yaml: string, options: Partial<LoadRequest> = {}): LoadRequest => ({
  ...{ files: [], projectFolder: '/p', env: {}, profiles: [] },
  ...options,
  sources: memorySources({ '/p/compose.yaml': yaml }),
})
const loaded = (yaml: string, options: Partial<LoadRequest> = {}): Promise<Loaded> => load(request(yaml, options))

const shop = `
services:
  web: { image: w, depends_on: [api], links: ["cache:store"], volumes: [site:/s] }
  api: { image: a, depends_on: { db: { condition: service_healthy }, mail: { condition: service_started, required: false } } }
  db: { image: d, volumes: [data:/d] }
  cache: { image: c }
  mail: { image: m, profiles: [mail] }
  debug: { image: g, profiles: [debug], depends_on: [probe] }
  probe: { image: p, profiles: [debug] }
  root: { image: r, privileged: true, env_file: gone.env }
volumes: { site: , data: , stray: }
`
const names = async (options: Partial<LoadRequest>): Promise<string[]> => Object.keys((await loaded(shop, options)).project.services).sort()

describe('services that are named', () => {
  it('come with what they depend on, and with nothing else', async () => {
    assert.deepEqual(await names({ services: ['api'] }), ['api', 'db'])
    assert.deepEqual(await names({ services: ['web'] }), ['api', 'cache', 'db', 'web'])
    assert.deepEqual(await names({ services: ['cache', 'db'] }), ['cache', 'db'])
    assert.deepEqual(await names({ services: ['api'], profiles: ['mail'] }), ['api', 'db', 'mail'])
  })
  it('come alone without dependencies, and still depend on them', async () => {
    const { project } = await loaded(shop, { services: ['api'], dependencies: false })
    assert.deepEqual(Object.keys(project.services), ['api'])
    assert.deepEqual(Object.keys(project.services['api']?.depends_on ?? {}), ['db'])
  })
  it('have their profile enabled', async () => {
    assert.deepEqual(await names({ services: ['mail'] }), ['mail'])
    assert.deepEqual(await names({ services: ['debug'] }), ['debug', 'probe'])
  })
  it('are all that is judged and read, and bring only what they use', async () => {
    await assert.rejects(loaded(shop), /privileged|gone\.env/)
    const { project, warnings } = await loaded(shop, { services: ['db'] })
    assert.deepEqual(Object.keys(project.volumes), ['data'])
    assert.deepEqual(
      warnings.map(({ path }) => path),
      ['volumes.stray'],
      'what others use is not called unused',
    )
  })
  it('keep the names that others have given them', async () => {
    const aliases = (of: Loaded) => draftOf(of).draft.workloads['cache']?.deployment?.networks?.['default']?.aliases
    assert.deepEqual(aliases(await loaded(shop, { services: ['cache'] })), ['store'])
  })
  it('must be there', async () => {
    await assert.rejects(loaded(shop, { services: ['wbe'] }), {
      code: 'invalid',
      message: 'there is no service wbe; did you mean web?',
      remedy: /web, api/,
    })
  })
  it('are built from others that are built first', async () => {
    const yaml = `services:
  app: { image: app, build: { context: ., additional_contexts: { base: "service:base" } } }
  base: { image: base, build: ./base, profiles: [never] }
  other: { build: ./other }
`
    assert.deepEqual(
      draftOf(await loaded(yaml, { services: ['app'] })).builds.map(({ image }) => image),
      ['app', 'base'],
    )
  })
})

describe('variables that are left as they are', () => {
  const yaml = `name: "\${NAME:-shop}"
services:
  web:
    image: "w:\${TAG:-1}"
    ports: ["\${PORT}:80", "90:90"]
    volumes: ["\${DATA}:/d", "./x:/x"]
    environment: { A: "\${A:?say A}", B: "$$b", TAKEN: }
    env_file: "\${WHERE}/web.env"
    tty: "\${TTY}"
    cpus: "\${CPUS}"
    deploy: { mode: "\${MODE}" }
    depends_on: [db]
  db: { image: d }
  other: { image: o, profiles: ["\${P}"] }
`
  const model = async (options: Partial<LoadRequest> = {}) => (await resolveModel(request(yaml, options))).model
  it('stand in the model, in short forms where these would have to be taken apart', async () => {
    const { name, services } = await model({ env: { TAG: '2', TAKEN: 'value', A: 'value' } })
    assert.equal(name, 'shop')
    assert.deepEqual(parse(printPlain(services)).web, {
      image: 'w:${TAG:-1}',
      ports: ['${PORT}:80', { mode: 'ingress', target: 90, published: '90', protocol: 'tcp' }],
      volumes: ['${DATA}:/d', { type: 'bind', source: '/p/x', target: '/x', bind: { create_host_path: true } }],
      environment: { A: '${A:?say A}', B: '$$b', TAKEN: null },
      env_file: [{ path: '${WHERE}/web.env', required: true }],
      tty: '${TTY}',
      cpus: '${CPUS}',
      deploy: { mode: '${MODE}' },
      depends_on: { db: { condition: 'service_started', required: true } },
      networks: { default: null },
    })
  })
  it('are no faults, and faults beside them are', async () => {
    await assert.rejects(resolveModel(request(`${yaml}  bad: { imag: x, ports: ["x:y:z"] }\n`)), /imag/)
    await assert.rejects(resolveModel(request('services: { a: { image: x, ports: ["99999:80"] } }')), /is no port/)
  })
  it('can be had of some services', async () => {
    assert.deepEqual(Object.keys(Object((await model({ services: ['db'] }))['services'])), ['db'])
    assert.deepEqual(Object.keys(Object((await model({ services: ['web'] }))['services'])), ['web', 'db'])
    assert.deepEqual(Object.keys(Object((await model())['services'])), ['web', 'db'])
    await assert.rejects(model({ services: ['none'] }), /there is no service none/)
  })
  it('printed and read with their values, are the project that the files are', async () => {
    const env = { TAG: '2', PORT: '80', DATA: 'data', A: 'a', WHERE: '/e', TTY: 'true', CPUS: '0.5', MODE: 'replicated', P: 'p' }
    const whole = `${yaml}volumes: { data: }\n`
    const { model: printed } = await resolveModel(request(whole))
    const sources = (text: string) => memorySources({ '/p/compose.yaml': text, '/e/web.env': 'FROM=file' })
    const read = async (text: string) => (await load({ ...request(text, { env }), sources: sources(text) })).project
    assert.deepEqual((await read(printPlain(printed))).services, (await read(whole)).services)
  })
})
