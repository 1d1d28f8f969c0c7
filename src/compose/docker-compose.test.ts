/**
 * The corpus, side by side with Debian's docker-compose (1.29) as far as that goes: it refuses a file with anything newer than itself. What it prints in
 * another form than docker compose v2 (ports and volumes as text) is brought to one form first.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parse } from 'yaml'
import type { Case } from '../../test/compose/corpus.ts'
import { readCases } from '../../test/compose/corpus.ts'
import type { Service } from './project.ts'
import { resolve } from './resolve.ts'

const installed = spawnSync('docker-compose', ['version', '--short'], { encoding: 'utf8' }).stdout?.startsWith('1.29') === true
const skip = installed ? false : 'docker-compose 1.29 is not installed (apt-get install docker-compose)'

/** The cases that have nothing newer in them. */
const known: ReadonlySet<string> = new Set([
  ...['airflow', 'boolean-words', 'dayfly', 'django', 'elk', 'fragments', 'gitea', 'laravel', 'microservices', 'networks', 'nextcloud'],
  ...['profiles-enabled', 'profiles-variable', 'rails', 'wordpress', 'extends-files', 'anchors-lists', 'rollout', 'templates'],
])

type Loose = Record<string, unknown>
const loose = (value: unknown): Loose => (typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {})
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value])
const texts = (value: unknown): Record<string, string | null> =>
  Object.fromEntries(Object.entries(loose(value)).map(([name, item]) => [name, item === null ? null : String(item)]))

/** `127.0.0.1:8001:8001/tcp` and its long form, as [host, published, target, protocol]. */
const port = (value: unknown): string => {
  if (typeof value === 'object' && value !== null) {
    const { host_ip: host = '', published = '', target, protocol = 'tcp' } = loose(value)
    return `${String(host)}:${String(published)}:${String(target)}/${String(protocol)}`
  }
  const [, rest = '', protocol = 'tcp'] = /^(.*?)(?:\/(\w+))?$/.exec(String(value)) ?? []
  const parts = rest.split(':')
  return `${parts.slice(0, -2).join(':')}:${parts.length > 1 ? parts.at(-2) : ''}:${parts.at(-1)}/${protocol}`
}

const volume = (value: unknown): string => {
  if (typeof value === 'object' && value !== null) {
    const { source = '', target, read_only: readOnly } = loose(value)
    return `${String(source)}:${String(target)}:${readOnly === true ? 'ro' : 'rw'}`
  }
  const [first = '', second, mode = ''] = String(value).split(':')
  return second === undefined ? `:${first}:rw` : `${first}:${second}:${mode.split(',').includes('ro') ? 'ro' : 'rw'}`
}

/** What both print of a service, in one form. */
const comparable = (service: Loose | Service): Loose => {
  const linked = new Set(list(loose(service)['links']).map(link => String(link).split(':')[0]))
  const { image, environment, labels, user, hostname, restart, container_name, working_dir, depends_on, networks, build } = loose(service)
  return {
    ...{ image, user, hostname, restart, container_name, working_dir, labels: texts(labels), environment: texts(environment) },
    // docker-compose 1.29 does not say that a service depends on what it links.
    dependsOn: (Array.isArray(depends_on) ? depends_on.map(String) : Object.keys(loose(depends_on))).filter(name => !linked.has(name)).sort(),
    // docker-compose 1.29 does not say that a service is in the default network.
    networks: Object.keys(loose(networks))
      .filter(name => name !== 'default')
      .sort(),
    context: loose(build)['context'],
    ports: list(loose(service)['ports']).map(port).sort(),
    volumes: list(loose(service)['volumes']).map(volume).sort(),
    expose: list(loose(service)['expose']).map(String).sort(),
    tmpfs: list(loose(service)['tmpfs']),
    extraHosts: Array.isArray(loose(service)['extra_hosts']) ? loose(service)['extra_hosts'] : undefined,
  }
}

/** The case on a disk, with the folders that its builds need: docker-compose 1.29 looks whether they are there. */
const onDisk = async (root: string, { name, files }: Case): Promise<string> => {
  const folder = join(root, name)
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  return folder
}

const cases = installed ? await readCases() : []

describe('beside docker-compose 1.29', { skip }, () => {
  let root = ''
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'dayfly-compose-'))
  })
  after(() => rm(root, { recursive: true, force: true }))

  for (const project of cases.filter(({ name }) => known.has(name))) {
    it(project.name, async () => {
      const ours = (await resolve(project.request)).project
      const folder = await onDisk(root, project)
      for (const { build } of Object.values(ours.services)) {
        if (build?.context.startsWith('/') === true) await mkdir(build.context.replace(ours.folder, folder), { recursive: true })
      }
      const args = project.request.files.flatMap(file => ['-f', file])
      const env = { PATH: process.env['PATH'], HOME: root, ...project.request.env, COMPOSE_PROFILES: project.request.profiles.join(',') || undefined }
      const run = spawnSync('docker-compose', [...args, 'config'], { cwd: folder, env, encoding: 'utf8' })
      assert.equal(run.status, 0, run.stderr)
      const theirs = loose(parse(run.stdout.replaceAll(folder, ours.folder).replaceAll('$$', '$'), { merge: true, logLevel: 'silent' }))
      const services = loose(theirs['services'])
      for (const [name, service] of Object.entries(ours.services)) {
        assert.deepEqual(comparable(service), comparable(loose(services[name])), name)
      }
    })
  }
})
