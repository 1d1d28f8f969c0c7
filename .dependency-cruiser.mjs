// The import rules of the house (ARCHITECTURE.md). test/house/import-rules.test.ts plants a breach of each and sees it refused.
// Tests may import whatever they test with; everything else may import `base`, its own folder and what its layer names.

const test = '\\.test\\.ts$'

/** A layer imports nothing of src/ but itself, base and `allowed` (a regular expression of paths). */
const layer = (name, comment, allowed = []) => ({
  name: `${name}-imports-only-its-layer`,
  severity: 'error',
  comment,
  from: { path: `^src/${name}/`, pathNot: test },
  to: { path: '^src/', pathNot: [`^src/${name}/`, '^src/base/', ...allowed] },
})

const engineContracts = '^src/engine/(backend|store)(\\.suite)?\\.ts$'

export default {
  forbidden: [
    layer('base', 'base imports nothing but itself'),
    layer('model', 'model imports nothing but base'),
    layer('host', 'host imports nothing but base: it knows the kernel, not the product', ['^src/model/kernel-event\\.ts$']),
    layer('engine', 'engine imports model, policy, scan and detect; backends and stores are given to it', ['^src/(model|policy|scan|detect)/']),
    layer('store', "store imports the engine's contracts and model", [engineContracts, '^src/model/']),
    layer('backends', "backends import the engine's contracts and model; backends/linux also host", [engineContracts, '^src/model/', '^src/host/']),
    layer('gateway', 'the gateway is told everything: it imports only model', ['^src/model/']),
    layer('compose', 'compose imports only model: it is pure, and reads through what it is given', ['^src/model/']),
    layer('scan', 'scan imports only model: it reads through what it is given', ['^src/model/']),
    layer('detect', 'detect imports only model: the same events give the same detections', ['^src/model/']),
    layer('notify', 'notify imports only model: it is told what to send, and where', ['^src/model/']),
    layer('telemetry', 'telemetry imports only model: it is told what happened', ['^src/model/']),
    layer('seal', 'seal imports only model: whoever has a bundle can verify it', ['^src/model/']),
    layer('report', 'report imports only model: pages are made of what it is given', ['^src/model/']),
    layer('policy', 'policy imports only model: everything it judges is given to it', ['^src/model/']),
    layer('api', 'api imports only model', ['^src/model/']),
    layer('apps/cli', 'the CLI is a client: api and model, and what works without a daemon', [
      '^src/(api|model|compose|scan|policy|detect|seal|report)/',
      '^src/apps/watch/',
    ]),
    layer('apps/watch', 'watching without a daemon: the sensor and the rules, where a daemon lives, and how it reads time and strikes out secrets', [
      '^src/(model|detect)/',
      '^src/host/(sensor/|cgroup/daemons\\.ts$)',
      '^src/apps/daemon/(native|sensing/(boot-time|redaction))\\.ts$',
    ]),
    layer('apps/console', "the console is a client in a browser: the API's schemas and matrix, and model", [
      '^src/api/(schemas/|authorization\\.ts$)',
      '^src/model/',
    ]),
    {
      name: 'console-is-for-browsers',
      severity: 'error',
      comment: "none of Node's modules is there",
      from: { path: '^src/apps/console/', pathNot: test },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'only-the-linux-backend-knows-the-host',
      severity: 'error',
      comment: 'another backend runs elsewhere',
      from: { path: '^src/backends/', pathNot: ['^src/backends/linux/', test] },
      to: { path: '^src/host/' },
    },
    {
      name: 'host-parts-do-not-know-each-other',
      severity: 'error',
      comment: 'one folder per kernel facility; what one needs of another is given to it',
      from: { path: '^src/host/([^/]+)/', pathNot: test },
      to: { path: '^src/host/[^/]+/', pathNot: '^src/host/$1/' },
    },
    {
      name: 'backends-do-not-know-each-other',
      severity: 'error',
      from: { path: '^src/backends/([^/]+)/', pathNot: test },
      to: { path: '^src/backends/[^/]+/', pathNot: '^src/backends/$1/' },
    },
    {
      name: 'model-is-pure',
      severity: 'error',
      comment: 'no clock, no disk, no network in model',
      from: { path: '^src/model/', pathNot: test },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'only-the-store-knows-sqlite',
      severity: 'error',
      comment: 'and the vulnerability data, which is a database of its own',
      from: { path: '^src/', pathNot: ['^src/store/', '^src/scan/vulnerabilities/', test] },
      to: { path: '^(node:)?sqlite$' },
    },
    {
      name: 'only-the-api-knows-fastify',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(api|apps/daemon)/' },
      to: { path: 'node_modules/fastify/' },
    },
    {
      name: 'product-does-not-import-tests',
      severity: 'error',
      comment: 'nor benchmarks, scripts or examples',
      from: { path: '^src/', pathNot: test },
      to: { path: ['^(test|bench|scripts|examples)/', test] },
    },
    {
      name: 'product-does-not-import-development-packages',
      severity: 'error',
      comment: 'but for the console, which is served as a bundle',
      from: { path: '^src/', pathNot: [test, '\\.suite\\.ts$', '^src/apps/console/'] },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'every-import-resolves',
      severity: 'error',
      comment: 'a format has types and no code (@types/sarif): the compiler finds those',
      from: {},
      to: { couldNotResolve: true, pathNot: '^sarif$' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      conditionNames: ['node', 'import', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.json', '.css', '.svg'],
    },
  },
}
