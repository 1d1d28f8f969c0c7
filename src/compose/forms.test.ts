/** The small forms: scalars, words, ports, volumes, durations, sizes, egress. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseEgress } from './egress.ts'
import { parseMount } from './mounts.ts'
import { parsePort } from './ports.ts'
import { bytesOf, durationOf, durationText } from './quantities.ts'
import { resolvePlain } from './scalars.ts'
import { suggest } from './suggest.ts'
import { splitWords } from './words.ts'

describe('an unquoted scalar', () => {
  for (const [text, value, shown = text] of [
    ['a', 'a'],
    ['true', true],
    ['TRUE', true, 'true'],
    ['yes', 'yes'],
    ['~', null, ''],
    ['', null],
    ['12', 12],
    ['0644', 420, '420'],
    ['0o17', 15, '15'],
    ['0x10', 16, '16'],
    ['0b11', 3, '3'],
    ['1_000', 1000, '1000'],
    ['-5', -5],
    ['1.50', 1.5, '1.5'],
    ['1e3', 1000, '1000'],
    ['.5', 0.5, '0.5'],
    ['1e-7', 1e-7, '1e-07'],
    ['1e21', 1e21, '1e+21'],
    ['12345678901234567890', Number('12345678901234567890'), '12345678901234567890'],
    ['12:30:45', '12:30:45'],
    ['1.2.3', '1.2.3'],
    ['2024-01-01', '2024-01-01'],
    ['08', 8, '8'],
    ['.inf', Number.POSITIVE_INFINITY, '+Inf'],
  ] as const) {
    it(`${text} is ${String(value)}`, () => assert.deepEqual(resolvePlain(text), { value, text: shown }))
  }
})

describe('a command', () => {
  const words = (text: string) => splitWords(text)?.words
  for (const [text, expected] of [
    ['a b  c', ['a', 'b', 'c']],
    ['a \'b c\' "d e"', ['a', 'b c', 'd e']],
    ["''", ['']],
    ['a""b', ['ab']],
    ['a\\ b', ['a b']],
    ["'a\\b'", ['a\\b']],
    ['"a\\"b"', ['a"b']],
    ['a\tb\nc', ['a', 'b', 'c']],
    ['', []],
    ['$(date) `ls -l`', ['$(date)', '`ls -l`']],
    ['x="1 2"', ['x=1 2']],
  ] as const) {
    it(JSON.stringify(text), () => assert.deepEqual(words(text), expected))
  }
  for (const text of ["'open", '"open', 'end\\', '(sub)', '`open']) it(`${text} is none`, () => assert.equal(splitWords(text), undefined))

  it('ends where only a shell would go on', () => {
    assert.deepEqual(splitWords('echo a && rm b'), { words: ['echo', 'a'], rest: '&& rm b' })
    assert.deepEqual(splitWords("sh -c 'a && b'"), { words: ['sh', '-c', 'a && b'], rest: '' })
  })

  it('in quotes comes back', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), list => {
        const text = list.map(word => `"${word.replaceAll(/["\\]/g, '\\$&')}"`).join(' ')
        assert.deepEqual(words(text), list)
      }),
    )
  })
})

describe('a port', () => {
  const tcp = (target: number, published?: string, hostIp?: string) => ({
    target,
    protocol: 'tcp',
    ...(published === undefined ? {} : { published }),
    ...(hostIp === undefined ? {} : { hostIp }),
  })
  for (const [text, expected] of [
    ['80', [tcp(80)]],
    ['8080:80', [tcp(80, '8080')]],
    ['127.0.0.1:8080:80/tcp', [tcp(80, '8080', '127.0.0.1')]],
    ['127.0.0.1::80', [tcp(80, undefined, '127.0.0.1')]],
    ['[::1]:8080:80', [tcp(80, '8080', '::1')]],
    ['53:53/UDP', [{ target: 53, published: '53', protocol: 'udp' }]],
    ['3000-3001:4000-4001', [tcp(4000, '3000'), tcp(4001, '3001')]],
    ['9-10', [tcp(10), tcp(9)]],
    ['8000-9000:80', [tcp(80, '8000-9000')]],
  ] as const) {
    it(text, () => assert.deepEqual(parsePort(text), expected))
  }
  for (const text of ['', 'x', '80:x', '70000', '2-1', '1-2:3-5', '1:2/xyz', 'a.b:1:2', '300.1.1.1:1:2', '::1:80:80', '-1']) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(typeof parsePort(text), 'string'))
  }
})

describe('a volume', () => {
  const of = (text: string) => {
    const mount = parseMount(text)
    return typeof mount === 'string' ? undefined : [mount.type, mount.source, mount.target, mount.readOnly]
  }
  for (const [text, expected] of [
    ['/data', ['volume', undefined, '/data', false]],
    ['name:/data', ['volume', 'name', '/data', false]],
    ['./a:/data/', ['bind', './a', '/data', false]],
    ['/a:/b:ro', ['bind', '/a', '/b', true]],
    ['~/a:/b:rw', ['bind', '~/a', '/b', false]],
    ['C:\\a:/b:ro', ['bind', 'C:\\a', '/b', true]],
    ['a:b:c:d', ['bind', 'a:b', 'c:d', false]],
    ['name:/b:ro:more', undefined],
    ['name::/x', undefined],
  ] as const) {
    it(text, () => assert.deepEqual(of(text), expected))
  }
  it('keeps its options', () => {
    assert.deepEqual(parseMount('./a:/b:ro,Z,rslave,x'), {
      ...{ type: 'bind', source: './a', target: '/b', readOnly: true, nocopy: false, propagation: 'rslave', selinux: 'Z', unknown: ['x'] },
    })
  })
})

describe('quantities', () => {
  for (const [text, milliseconds, printed = text] of [
    ['1m30s', 90_000],
    ['1h', 3_600_000, '1h0m0s'],
    ['500ms', 500],
    ['1.5h', 5_400_000, '1h30m0s'],
    ['2d', 172_800_000, '48h0m0s'],
    ['10us', 0.01, '10µs'],
    ['0', 0, '0s'],
    ['1m', 60_000, '1m0s'],
  ] as const) {
    it(text, () => {
      assert.equal(durationOf(text), milliseconds)
      assert.equal(durationText(milliseconds), printed)
    })
  }
  for (const text of ['', '5', 's', '1 s', '1x', '1m 30s', 'abc', '.s'])
    it(`${JSON.stringify(text)} is no duration`, () => assert.equal(durationOf(text), undefined))

  it('a duration that is printed comes back', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e12 }), microseconds => durationOf(durationText(microseconds / 1000)) === microseconds / 1000))
  })

  for (const [text, bytes] of [
    ['1024', 1024],
    ['-1', -1],
    ['64k', 65_536],
    ['64KB', 65_536],
    ['1.5g', 1_610_612_736],
    ['2GiB', 2_147_483_648],
    ['10b', 10],
    ['1 m', 1_048_576],
  ] as const) {
    it(text, () => assert.equal(bytesOf(text), bytes))
  }
  for (const text of ['', 'k', '1x', '1kk', '-1k', '1 2']) it(`${JSON.stringify(text)} is no size`, () => assert.equal(bytesOf(text), undefined))
})

describe('a destination', () => {
  for (const [text, expected] of [
    ['registry.example.org', { domain: 'registry.example.org', wildcard: false }],
    ['*.Example.com:443', { domain: 'example.com', wildcard: true, port: 443 }],
    ['192.0.2.0/24:5432', { cidr: '192.0.2.0/24', port: 5432 }],
    ['192.0.2.7', { cidr: '192.0.2.7/32' }],
    ['0.0.0.0/0', { cidr: '0.0.0.0/0' }],
    ['localhost', { domain: 'localhost', wildcard: false }],
    ['example.org.:443', { domain: 'example.org', wildcard: false, port: 443 }],
  ] as const) {
    it(text, () => assert.deepEqual(parseEgress(text), expected))
  }
  for (const text of [
    '',
    '*',
    'https://a.b',
    '192.0.2.1/24',
    '10.0.0',
    '300.0.0.1',
    'a..b',
    '-a.b',
    'a.b:0',
    'a.b:99999',
    'a.b:x',
    '[::1]:80',
    'fe80::1',
    '*.*.a',
    'a b',
    '10.0.0.0/33',
  ]) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(typeof parseEgress(text), 'string'))
  }
})

describe('what was meant', () => {
  it('is the nearest word, if one is near', () => {
    assert.equal(suggest('imge', ['image', 'init', 'ipc']), 'image')
    assert.equal(suggest('enviroment', ['environment', 'env_file']), 'environment')
    assert.equal(suggest('depends-on', ['depends_on']), 'depends_on')
    assert.equal(suggest('volume', ['volumes', 'volumes_from']), 'volumes')
    assert.equal(suggest('zzz', ['image', 'init']), undefined)
    assert.equal(suggest('x'.repeat(10_000), ['image']), undefined)
  })
})
