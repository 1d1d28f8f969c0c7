import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SecretFinding } from '../model/finding.ts'
import type { Covering, LayerView } from './covering.ts'
import { isHidden } from './covering.ts'
import type { LayerFacts } from './facts.ts'
import { scannerVersion } from './facts.ts'
import { imageFacts, mergeLayers } from './merge.ts'
import type { ImageDescription } from './misconfigurations.ts'
import { misconfigurationsOf, misconfigurationsOfName } from './misconfigurations.ts'

/** A layer that has these paths, with all their parents as folders. */
const viewOf = (paths: Readonly<Record<string, Covering>>, opaque: readonly string[] = []): LayerView => {
  const all = new Map<string, Covering>()
  for (const [path, kind] of Object.entries(paths)) {
    const parts = path.split('/')
    for (let length = 1; length < parts.length; length++) all.set(parts.slice(0, length).join('/'), 'folder')
    all.set(path, kind)
  }
  return { diffId: 'sha256:above', opaque: new Set(opaque), at: async path => all.get(path) ?? 'absent' }
}

const factsOf = (more: Partial<LayerFacts>): LayerFacts => ({
  ...{
    scannerVersion,
    secretRules: '',
    diffId: 'sha256:0123456789abcdef',
    entries: 0,
    bytes: 0,
    packages: [],
    owned: [],
    secrets: [],
    setuid: [],
    worldWritable: [],
  },
  ...{ shells: [], packageManagers: [], problems: [] },
  ...more,
})
const npm = (name: string, paths: string[]): LayerFacts['packages'][number] => ({
  type: 'npm',
  name,
  version: '1',
  purl: `pkg:npm/${name}@1`,
  licenses: [],
  paths,
})

describe('what a later layer hides', () => {
  const hidden = (path: string, ...above: LayerView[]): Promise<boolean> => isHidden(path, above)
  it('is what it removes, replaces or covers, and nothing else', async () => {
    assert.equal(await hidden('a/b', viewOf({ 'a/c': 'other' })), false)
    assert.equal(await hidden('a/b', viewOf({ 'a/b': 'whiteout' })), true)
    assert.equal(await hidden('a/b', viewOf({ 'a/b': 'other' })), true)
    assert.equal(await hidden('a/b', viewOf({ 'a/b': 'folder' })), true)
    assert.equal(await hidden('a/b/c', viewOf({ a: 'whiteout' })), true)
    assert.equal(await hidden('a/b/c', viewOf({ 'a/b': 'other' })), true, 'a folder became a file or a link')
    assert.equal(await hidden('a/b/c', viewOf({ 'a/b': 'folder' })), false)
    assert.equal(await hidden('a/b/c', viewOf({ 'a/b': 'folder' }, ['a'])), true)
    assert.equal(await hidden('a/b', viewOf({}, [''])), true)
    assert.equal(await hidden('a/b', viewOf({}), viewOf({ 'a/b': 'whiteout' })), true)
    assert.equal(await hidden('../etc/passwd', viewOf({ etc: 'whiteout' })), false)
  })
})

describe('layers together', () => {
  it('have a package as long as one of its places is shown, once', async () => {
    const merged = await mergeLayers([
      {
        facts: factsOf({ packages: [npm('kept', ['a/package.json', 'b/package.json']), npm('gone', ['a/x'])], problems: ['odd'] }),
        view: viewOf({}),
      },
      { facts: factsOf({ packages: [npm('kept', ['c/package.json'])] }), view: viewOf({ a: 'whiteout', 'c/package.json': 'other' }) },
    ])
    assert.deepEqual(
      merged.packages.map(({ name, paths }) => [name, paths]),
      [['kept', ['b/package.json', 'c/package.json']]],
    )
    assert.deepEqual(merged.problems, ['layer sha256:0123456789ab: odd'])
  })

  it('have the secrets of all layers, those of hidden files marked', async () => {
    const secret: SecretFinding = {
      ...{ kind: 'secret', id: 'x', severity: 'high', title: 't', fingerprint: '0'.repeat(32), redacted: 'a••••••b', hash: 'h' },
      places: [{ path: 'a/.env', line: 1 }],
    }
    const merged = await mergeLayers([
      { facts: factsOf({ secrets: [secret], diffId: 'sha256:one' }), view: viewOf({}) },
      { facts: factsOf({ secrets: [secret], diffId: 'sha256:two' }), view: viewOf({ 'a/.env': 'other' }) },
    ])
    assert.deepEqual(
      merged.secrets.map(({ places }) => places),
      [
        [
          { path: 'a/.env', line: 1, layer: 'sha256:one', hidden: true },
          { path: 'a/.env', line: 1, layer: 'sha256:two' },
        ],
      ],
    )
  })
})

describe('misconfigurations', () => {
  const description = (config: Partial<ImageDescription['config']>): ImageDescription => ({
    digest: 'sha256:x',
    config: { user: '1000', env: {}, labels: {}, entrypoint: [], cmd: [], exposedPorts: [], ...config },
    history: ['RUN make'],
  })
  const nothing = { setuid: [], worldWritable: [], shells: [], packageManagers: [] }
  const ids = (config: Partial<ImageDescription['config']>): string[] => misconfigurationsOf(description(config), nothing).map(({ id }) => id)

  it('tell root by any of its names', () => {
    for (const user of ['', '0', '0:0', 'root', 'root:staff', '00']) assert.deepEqual(ids({ user }), ['image-root-user'], user)
    for (const user of ['1', '1000:0', 'rooty', 'app:root', '10']) assert.deepEqual(ids({ user }), [], user)
  })

  it('tell ports below 1024, of each that is exposed', () => {
    assert.deepEqual(ids({ exposedPorts: ['80/tcp', '1023', '1024/tcp', '8080/tcp', '443-444/tcp', 'x', '0/tcp'] }).length, 3)
  })

  it("tell a distribution's setuid files from others by their folder, too", () => {
    const file = (path: string) => ({ path, mode: 0o4755, uid: 0, gid: 0 })
    const found = misconfigurationsOf(description({}), {
      ...nothing,
      setuid: ['usr/bin/su', 'bin/mount', 'home/su', 'usr/local/bin/sudo', 'usr/bin/mine'].map(file),
    })
    const places = Object.fromEntries(found.map(({ id, places: all }) => [id, all.map(({ path }) => path)]))
    assert.deepEqual(places, {
      'image-setuid-file': ['home/su', 'usr/local/bin/sudo', 'usr/bin/mine'],
      'image-setuid-usual': ['usr/bin/su', 'bin/mount'],
    })
  })

  it('have a fingerprint that stays and places that are bounded', () => {
    const many = { ...nothing, worldWritable: Array.from({ length: 1000 }, (_, index) => ({ path: `f${index}`, mode: 0o666, uid: 0, gid: 0 })) }
    const [one] = misconfigurationsOf(description({}), many)
    const [other] = misconfigurationsOf(description({}), { ...many, worldWritable: many.worldWritable.toReversed() })
    assert.equal(one?.places.length, 100)
    assert.match(one?.title ?? '', /1000 places/)
    assert.equal(one?.fingerprint, other?.fingerprint)
  })

  it('of a name are about its tag and digest, and no port is a tag', () => {
    const of = (name: string): string[] => misconfigurationsOfName(name).map(({ id }) => id)
    assert.deepEqual(of('alpine'), ['image-tag-latest', 'image-without-digest'])
    assert.deepEqual(of('host:5000/alpine'), ['image-tag-latest', 'image-without-digest'])
    assert.deepEqual(of('host:5000/alpine:3.20'), ['image-without-digest'])
    assert.deepEqual(of(`alpine@sha256:${'0'.repeat(64)}`), [])
  })

  it('and secrets of the configuration are part of an image', async () => {
    const asked: string[] = []
    const search = (fields: Readonly<Record<string, string>>) => {
      asked.push(...Object.entries(fields).map(([field, value]) => `${field}=${value}`))
      return { findings: [], problems: ['too long'] }
    }
    const facts = await imageFacts(
      description({ user: '', env: { A: 'b' }, labels: { l: 'm' }, entrypoint: ['run', 'it'] }),
      [],
      'sha256:rules',
      search,
    )
    assert.deepEqual(asked, ['env.A=b', 'command[0]=', 'entrypoint[0]=run it', 'labels.l=m', 'history[0]=RUN make'])
    assert.deepEqual(facts.problems, ['configuration: too long'])
    assert.deepEqual([facts.secretRules, facts.misconfigurations.map(({ id }) => id)], ['sha256:rules', ['image-root-user']])
  })
})
