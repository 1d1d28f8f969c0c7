// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables of compose files look like that
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { memorySources } from '../../test/compose/sources.ts'
import type { Loaded } from './compose.ts'
import { load } from './compose.ts'
import type { Problem } from './problems.ts'
import { InvalidCompose } from './problems.ts'
import type { LoadRequest } from './resolve.ts'
import { maximumLength } from './yaml.ts'

type Files = Readonly<Record<string, string>>
type Options = Partial<Omit<LoadRequest, 'sources'>>

const request = (files: Files, options: Options = {}): LoadRequest => ({
  ...{ files: [], projectFolder: '/p', env: {}, profiles: [] },
  ...options,
  sources: memorySources(Object.fromEntries(Object.entries(files).map(([path, text]) => [path.startsWith('/') ? path : `/p/${path}`, text]))),
})

const loaded = (files: Files | string, options?: Options): Promise<Loaded> =>
  load(request(typeof files === 'string' ? { 'compose.yaml': files } : files, options))

const problems = async (files: Files | string, options?: Options): Promise<readonly Problem[]> => {
  try {
    await loaded(files, options)
  } catch (error) {
    if (error instanceof InvalidCompose) return error.problems
    throw error
  }
  throw new assert.AssertionError({ message: 'it was loaded' })
}

const messages = async (files: Files | string, options?: Options): Promise<string[]> =>
  (await problems(files, options)).map(({ file, line, column, path, message }) => `${file}:${line}:${column} ${path} ${message}`)

const app = 'services: { app: { image: x } }\n'

describe('which files', () => {
  it('is the first of the default names, with its override', async () => {
    const files = {
      'docker-compose.yml': app,
      'compose.yml': 'services: { app: { image: y } }',
      'compose.override.yaml': 'services: { app: { user: u } }',
    }
    const { project, warnings } = await loaded(files)
    assert.deepEqual(project.services['app'], { image: 'y', user: 'u', networks: { default: null } })
    assert.deepEqual(project.files, ['/p/compose.yml', '/p/compose.override.yaml'])
    assert.match(warnings[0]?.message ?? '', /docker-compose\.yml lies beside it/)
  })

  it('is looked for above, and the folder is then that one', async () => {
    const { project } = await loaded({ 'compose.yaml': 'services: { app: { build: ./d } }', '.env': 'X=1' }, { projectFolder: '/p/a/b' })
    assert.equal(project.folder, '/p')
    assert.equal(project.name, 'p')
    assert.equal(project.services['app']?.build?.context, '/p/d')
  })

  it('can be said by COMPOSE_FILE, from .env too', async () => {
    const files = {
      '.env': 'COMPOSE_FILE=one.yaml:sub/two.yaml',
      'one.yaml': app,
      'sub/two.yaml': 'services: { app: { user: u } }',
      'compose.yaml': 'nonsense',
    }
    assert.equal((await loaded(files)).project.services['app']?.user, 'u')
    const other = { COMPOSE_FILE: 'one.yaml;sub/two.yaml', COMPOSE_PATH_SEPARATOR: ';' }
    assert.equal((await loaded(files, { env: other })).project.services['app']?.user, 'u')
  })

  it('are missing', async () => {
    await assert.rejects(loaded({}), { code: 'invalid', message: /there is no compose file in \/p or above it/ })
    assert.deepEqual(await messages({}, { files: ['x.yaml'] }), [':0:0  the file /p/x.yaml does not exist'])
    assert.deepEqual(await messages({ 'compose.yaml': '# nothing' }), ['compose.yaml:1:1  the file is empty'])
  })
})

describe('the name', () => {
  const name = async (files: Files | string, options?: Options) => (await loaded(files, options)).project.name
  it('is given, or of the environment, or of the last file that has one, or the folder’s', async () => {
    assert.equal(await name(app), 'p')
    assert.equal(await name(app, { projectFolder: '/p/My App_2', files: ['/p/compose.yaml'] }), 'myapp_2')
    assert.equal(await name(`name: one\n${app}`), 'one')
    assert.equal(await name({ 'a.yaml': `name: one\n${app}`, 'b.yaml': 'name: t${X:-wo}\n' }, { files: ['a.yaml', 'b.yaml'] }), 'two')
    assert.equal(await name(`name: one\n${app}`, { env: { COMPOSE_PROJECT_NAME: 'three' } }), 'three')
    assert.equal(await name(`name: one\n${app}`, { env: { COMPOSE_PROJECT_NAME: 'three' }, projectName: 'four' }), 'four')
  })
  it('must be one', async () => {
    assert.match((await messages(app, { projectName: 'No Name' }))[0] ?? '', /"No Name", given by --project-name, is no name/)
    assert.match((await messages({ '/---/compose.yaml': app }, { projectFolder: '/---' }))[0] ?? '', /the project has no name/)
  })
})

describe('variables', () => {
  const image = async (files: Files, options?: Options) =>
    (await loaded({ 'compose.yaml': 'services: { app: { image: "${V}" } }', ...files }, options)).project.services['app']?.image
  it('come from the caller first, then from .env, or from the files given instead', async () => {
    assert.equal(await image({ '.env': 'V=file' }), 'file')
    assert.equal(await image({ '.env': 'V=file' }, { env: { V: 'caller' } }), 'caller')
    assert.equal(
      await image({ '.env': 'V=file', 'other.env': 'V=other', 'more.env': 'V=${V}-more' }, { envFiles: ['other.env', 'more.env'] }),
      'other-more',
    )
    assert.equal(await image({ '.env': 'V=file', 'e.env': 'V=e' }, { env: { COMPOSE_ENV_FILES: 'e.env' } }), 'e')
    assert.equal(await image({ '.env': 'V=file' }, { env: { COMPOSE_DISABLE_ENV_FILE: 'true' } }), '')
  })
  it('that are not set are warned of, where they stand', async () => {
    const { warnings } = await loaded('services:\n  app:\n    image: x${NOPE}\n')
    assert.deepEqual(warnings, [
      {
        kind: 'unset',
        file: 'compose.yaml',
        line: 3,
        column: 12,
        path: 'services.app.image',
        message: 'the variable NOPE is not set; it is blank here',
      },
    ])
  })
  it('never show their values in a message', async () => {
    const yaml = `services:
  app:
    image: x
    ports: ["\${S}:80", { target: "\${S}" }]
    volumes: ["a:\${S}:\${S}:\${S}"]
    restart: \${S}
    tty: \${S}
    mem_limit: \${S}
    healthcheck: { interval: "\${S}", test: ["\${S}"] }
    extra_hosts: ["\${S}"]
    command: "'\${S}"
    depends_on: { db: { condition: "\${S}" } }
`
    const text = (await messages(yaml, { env: { S: 'hunter2' } })).join('\n')
    assert.match(text, /"\$\{S\}:80" is no port\n/)
    assert.doesNotMatch(text.replaceAll(/there is no .*/g, ''), /hunter2/)
    assert.equal(
      (await messages('services: { a: { image: x, mem_limit: "${S}", command: "\'${S}" } }', { env: { S: 'hunter2' } })).join().includes('hunter2'),
      false,
    )
  })
  it('from the environment are in `values`, and nowhere in the project', async () => {
    const yaml = 'services: { a: { image: x, secrets: [s], configs: [c] } }\nsecrets: { s: { environment: S } }\nconfigs: { c: { environment: C } }\n'
    const { project, values } = await loaded(yaml, { env: { S: 'hunter2', C: 'content' } })
    assert.deepEqual(values, { secrets: { s: 'hunter2' }, configs: { c: 'content' } })
    assert.doesNotMatch(JSON.stringify(project), /hunter2|content"/)
    const missing = await loaded(yaml)
    assert.deepEqual(
      missing.warnings.map(({ kind, path }) => [kind, path]),
      [
        ['unset', 'secrets.s.environment'],
        ['unset', 'configs.c.environment'],
      ],
    )
  })
})

describe('what is wrong', () => {
  it('is told all at once, in the order of the file', async () => {
    const yaml = 'services:\n  a:\n    imge: x\n    ports: [70000]\n  b:\n    image: [y]\n    environment: 5\n'
    assert.deepEqual(await messages(yaml), [
      'compose.yaml:3:5 services.a.imge "imge" is no property that the Compose Specification knows here; did you mean image?',
      'compose.yaml:4:13 services.a.ports[0] "70000" is no port: "70000" is no port and no range of ports',
      'compose.yaml:6:5 services.b.image text is expected here, not a list',
      'compose.yaml:7:5 services.b.environment a mapping or a list is expected here, not 5',
    ])
  })
  it('is an error of the house: code, field, remedy', async () => {
    await assert.rejects(loaded('services: { a: { image: x, networks: [n] } }'), {
      ...{
        name: 'DayflyError',
        code: 'invalid',
        field: 'services.a.networks.n',
        remedy: 'Declare it under networks at the top of the file.',
        exitCode: 2,
      },
      message: 'compose.yaml:1:39: services.a.networks.n: there is no network n',
    })
  })
  it('names the file that it is in', async () => {
    const files = {
      'compose.yaml': 'include: [sub/c.yaml]\nservices: { a: { extends: { file: base.yaml, service: b } } }',
      'sub/c.yaml': 'services:\n  c: { image: x, nope: 1 }',
      'base.yaml': 'services:\n  b:\n    image: x\n    nope: 2',
    }
    assert.deepEqual((await problems(files)).map(({ file, line, path }) => [file, line, path]).sort(), [
      ['base.yaml', 4, 'services.a.nope'],
      ['sub/c.yaml', 2, 'services.c.nope'],
    ])
  })
  for (const [yaml, expected] of [
    ['a: [', /this is not YAML/],
    ['services:\n\ta: 1', /YAML is indented with spaces/],
    ['services: { a: {image: x}, a: {image: y} }', /"?a"?.*twice in one mapping, first in line 1/],
    ['services: { a: *nope }', /there is no anchor &nope before this/],
    ['x-a: &a { b: *a }', /\*a stands within the anchor &a itself/],
    ['services: { a: { <<: 5 } }', /only a mapping, or a list of mappings/],
    ['services: { 5: { image: x } }', /the key 5 is no text/],
    ['services: { __proto__: { image: x } }', /cannot be called __proto__/],
    ['- 1', /a compose file is a mapping/],
    ['services: [a]', /a mapping is expected here, not a list/],
    ['services: { a: { image: x, tty: maybe } }', /true or false is expected here, not "maybe"/],
    ['services: { a: { image: x, image: "${V:?say V}" } }', /twice/],
    ['services: { a: { image: "${V:?say V}" } }', /the variable V is required and has no value: say V/],
    ['services: { a: { image: "${V" } }', /"\$\{V" is no valid use of a variable/],
    ['services: { a: { extends: b } }', /there is no service b in this file/],
    ['services: { a: { extends: { file: gone.yaml, service: b } } }', /the file \/p\/gone\.yaml does not exist/],
    ['services: { a: { extends: b }, b: { extends: a } }', /in a circle: a → b → a/],
    ['include: [compose.yaml]', /include each other in a circle/],
    ['include: ["https://example.org/c.yaml"]', /https:\/\/example\.org\/c\.yaml is not here: only files can be included/],
    ['include: ["https://github.com/o/r.git"]', /only files can be included/],
    ['include: ["git@example.org:o/r.git#main:sub"]', /only files can be included/],
    ['include: [{ path: ["oci://registry.example.org/p:1"] }]', /only files can be included/],
    ['services: { a: { extends: { file: "https://example.org/c.yaml", service: b } } }', /only extend one of a file that is here/],
    ['services: { a: { image: x } }\nx-dayfly: { owner: me }', /"owner" is nothing that x-dayfly knows here/],
    ['services: { a: { image: x, x-dayfly: { egres: [] } } }', /did you mean egress/],
    ['services: { a: { image: x, deploy: { x-dayfly: { scale: { max: 2 } } } } }', /services\.a\.deploy\.x-dayfly nothing reads an x-dayfly here/],
    ['services: { a: { image: x, ports: [{ target: 80, x-dayfly: {} }] } }', /nothing reads an x-dayfly here/],
    ['services: { a: { image: x } }\nnetworks: { default: { x-dayfly: { egress: [] } } }', /networks\.default\.x-dayfly nothing reads/],
    ['services: { a: { image: x, networks: [n] } }\nnetworks: { n: { external: true } }', /networks\.n\.external .*stays after it/],
    ['services: { a: { image: x, volumes: ["v1:/v"] } }\nvolumes: { v1: { external: true } }', /volumes\.v1\.external .*stays after it/],
    ['services: { a: { image: x, configs: [c] } }\nconfigs: { c: { external: true } }', /configs\.c\.external .*stays after it/],
    ['services: { a: { image: x, env_file: gone.env } }', /the environment file \/p\/gone\.env does not exist/],
    ['services: { a: { image: x, depends_on: [a] } }', /in a circle: a → a/],
    ['services: { a: { image: x, stop_grace_period: soon } }', /is not a duration/],
    ['services: { a: { image: x, scale: 2, deploy: { replicas: 3 } } }', /scale and deploy\.replicas differ/],
    ['services: { a: { image: x, tmpfs: /x, volumes: ["/x"] } }', /two things are mounted at \/x/],
    ['services: { a: { image: x, depends_on: [b] }, b: { image: x, profiles: [p] } }', /the service b is not enabled/],
  ] as const) {
    it(yaml.replaceAll('\n', ' '), async () => assert.match((await messages(yaml)).join('\n'), expected))
  }
})

describe('hostile files', () => {
  it('that are long, deep, or grow by their anchors are refused', async () => {
    const bomb = [
      'x-0: &a0 [x, x, x, x, x, x, x, x, x, x]',
      ...Array.from({ length: 20 }, (_, index) => `x-${index + 1}: &a${index + 1} [${`*a${index}, `.repeat(10)}]`),
    ].join('\n')
    for (const [text, expected] of [
      [`# ${'x'.repeat(maximumLength)}`, /longer than 4 MiB/],
      ['['.repeat(1_000_000), /nested deeper than 64 levels/],
      ['{a: '.repeat(500), /nested deeper|not YAML/],
      [`x-a: ${'['.repeat(100)}${']'.repeat(100)}`, /nested deeper than 64 levels/],
      [`${'- '.repeat(100_000)}x`, /nested deeper than 64 levels/],
      [Array.from({ length: 200 }, (_, index) => `${' '.repeat(index)}a:`).join('\n'), /nested deeper than 64 levels/],
      [bomb, /expand to more than 100000 nodes/],
    ] as const) {
      assert.match((await messages(text)).join('\n').slice(0, 2000), expected)
    }
  })

  it('that name each other without end are bounded', async () => {
    const wide = Object.fromEntries(
      Array.from({ length: 30 }, (_, level) => [`l${level}.yaml`, `include: [l${level + 1}.yaml, {path: l${level + 1}.yaml}]\n`] as const),
    )
    assert.match((await messages({ ...wide, 'compose.yaml': 'include: [l0.yaml]', 'l30.yaml': app })).join('\n'), /names more than 1000 files/)
  })

  it('with very many faults have the first hundred of them told', async () => {
    const many = `services:\n${Array.from({ length: 5000 }, (_, index) => `  s${index}: { nope: 1 }`).join('\n')}`
    assert.equal((await problems(many)).length, 100)
  })

  it('that are merely large are read', async () => {
    const large = `services:\n${Array.from({ length: 2000 }, (_, index) => `  s${index}: { image: x, environment: { A: "1", B: two }, ports: ["${index + 1}:80"] }`).join('\n')}`
    assert.equal(Object.keys((await loaded(large)).project.services).length, 2000)
  })
})

describe('x-dayfly', () => {
  const of = async (yaml: string) => (await loaded(yaml)).dayfly
  it('has defaults', async () => {
    assert.deepEqual(await of(app), { lease: {}, egress: [], expose: {}, services: { app: { kind: 'service', egress: [], expose: [] } } })
  })
  it('is read, short and long', async () => {
    const { services, lease } = await of(
      'x-dayfly: { lease: { ttl: 1h30m, onIdle: pause }, egress: a.example, expose: { app: 8080 } }\nservices: { app: { image: x, x-dayfly: { egress: ["10.0.0.0/8:53"], expose: 5432/tcp, scale: { max: 4, target: { cpu: 70% } } } } }',
    )
    assert.deepEqual(lease, { ttl: 5_400_000, onIdle: 'pause' })
    assert.deepEqual(services['app'], {
      kind: 'service',
      egress: [
        { domain: 'a.example', wildcard: false },
        { cidr: '10.0.0.0/8', port: 53 },
      ],
      expose: [
        { port: 5432, protocol: 'tcp' },
        { port: 8080, protocol: 'http' },
      ],
      scale: { min: 1, max: 4, target: { cpu: 70 }, window: 30_000 },
    })
  })
  for (const [yaml, expected] of [
    ['{ lease: { tll: 1h } }', 'x-dayfly.lease.tll "tll" is nothing that x-dayfly knows here; did you mean ttl?'],
    ['{ lease: { ttl: 0s } }', 'x-dayfly.lease.ttl a duration from 1s to 7d is expected'],
    ['{ lease: { ttl: 60 } }', 'x-dayfly.lease.ttl a duration with its unit is expected, like 90s, 15m, 1h30m or 7d'],
    ['{ leese: {} }', 'x-dayfly.leese "leese" is nothing that x-dayfly knows here; did you mean lease?'],
    ['{ egress: ["*"] }', 'x-dayfly.egress[0] "*": * alone would be every name; open 0.0.0.0/0 when that is meant'],
    ['{ expose: { ap: 80 } }', 'x-dayfly.expose.ap there is no service ap; did you mean app?'],
    [
      '{ expose: { app: 80/udp } }',
      'x-dayfly.expose.app[0] a port like 8080, 8080/http or 5432/tcp is expected, or a mapping with port, protocol and host',
    ],
  ] as const) {
    it(yaml, async () => {
      const found = await problems(`x-dayfly: ${yaml}\n${app}`)
      assert.deepEqual(
        found.map(({ path, message }) => `${path} ${message}`),
        [expected],
      )
      assert.equal(found[0]?.line, 1)
    })
  }
  it('and a fixed number of instances exclude each other', async () => {
    assert.match((await messages('services: { a: { image: x, scale: 2, x-dayfly: { scale: { max: 3 } } } }'))[0] ?? '', /fix a number already/)
  })
})
