import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SensedEvent } from '../../../model/kernel-event.ts'
import { ownRules } from '../../../scan/secrets/rules/own.ts'
import { createRedactor, struckOut } from './redaction.ts'

const exec = (args: string[], more: Partial<SensedEvent> = {}): SensedEvent => ({
  ...{ type: 'exec', boot: 1, cookie: 1, pid: 2, tid: 2, vpid: 1, start: 1, parentPid: 1, parentStart: 0, uid: 0, euid: 0, gid: 0 },
  ...{ name: 'sh', parentName: 'init', result: 0, args },
  ...more,
})

describe('what the environment was given', () => {
  const redact = createRedactor(['hunter2-of-the-shop\n', 'a b/c=d'])

  it('is in no argument, path or name: as it is, and as it stands in URLs and headers', () => {
    const event = redact(
      exec(['sh', '-c', 'echo hunter2-of-the-shop', `x${Buffer.from('hunter2-of-the-shop').toString('base64')}`, encodeURIComponent('a b/c=d')], {
        path: '/tmp/hunter2-of-the-shop/x',
        cwd: '/hunter2-of-the-shop',
        name: 'a b/c=d',
      }),
    )
    const text = JSON.stringify(event)
    assert.ok(!text.includes('hunter2') && !text.includes('a b/c=d') && !text.includes('a%20b') && !text.includes('aHVudGVy'), text)
    assert.equal(event.path, `/tmp/${struckOut}/x`)
  })

  it('is not there in part where the arguments were cut off', () => {
    const event = redact(exec(['tool', 'x=hunter2-of-t'], { flags: ['truncated'] }))
    assert.deepEqual(event.args, ['tool', `x=${struckOut}`])
  })

  it('leaves an event alone that has no words', () => {
    const event = exec([])
    const { args: _, ...rest } = event
    assert.equal(createRedactor([])(rest), rest)
  })
})

describe('what looks like a secret to anybody', () => {
  const redact = (...args: string[]): readonly string[] => createRedactor([])(exec(args)).args ?? []

  it('is struck out, and what it belongs to stays readable', () => {
    assert.deepEqual(redact('mysql', '--password', 'tiger', '--port', '3306'), ['mysql', '--password', struckOut, '--port', '3306'])
    assert.deepEqual(redact('x', '--db-password=tiger', 'API_TOKEN=abc', 'MODE=fast'), [
      'x',
      `--db-password=${struckOut}`,
      `API_TOKEN=${struckOut}`,
      'MODE=fast',
    ])
    assert.deepEqual(redact('psql', 'postgres://shop:tiger@db/shop?sslmode=off'), ['psql', `postgres://shop:${struckOut}@db/shop?sslmode=off`])
    assert.deepEqual(redact('curl', '-u', 'me:tiger', 'https://a.example/?access_token=abc&page=2'), [
      'curl',
      '-u',
      `me:${struckOut}`,
      `https://a.example/?access_token=${struckOut}&page=2`,
    ])
    assert.deepEqual(redact('curl', '-H', 'Authorization: Bearer abc.def', '-H', 'Accept: text/html'), [
      'curl',
      '-H',
      `Authorization: Bearer ${struckOut}`,
      '-H',
      'Accept: text/html',
    ])
    assert.deepEqual(redact('sh', '-c', 'export DB_PASSWORD=tiger; run --fast'), ['sh', '-c', `export DB_PASSWORD=${struckOut}; run --fast`])
    assert.deepEqual(redact('sh', '-c', `curl -d '{"password": "tiger"}' http://a`), ['sh', '-c', `curl -d '{"password": "${struckOut}"}' http://a`])
  })

  it('is the login of curl and its like, however it is written', () => {
    for (const [given, left] of [
      [
        ['curl', '-ume:tiger', 'http://a'],
        ['curl', `-ume:${struckOut}`, 'http://a'],
      ],
      [
        ['curl', '-sSfu', 'me:tiger'],
        ['curl', '-sSfu', `me:${struckOut}`],
      ],
      [
        ['/usr/bin/curl', '--user=me:ti:ger'],
        ['/usr/bin/curl', `--user=me:${struckOut}`],
      ],
      [
        ['curl', '--proxy-user', 'me:tiger', '-U', 'me:tiger'],
        ['curl', '--proxy-user', `me:${struckOut}`, '-U', `me:${struckOut}`],
      ],
      [
        ['http', '-a', 'me:tiger', 'GET', 'a'],
        ['http', '-a', `me:${struckOut}`, 'GET', 'a'],
      ],
      [
        ['sh', '-c', "curl -sS -u 'me:tiger' http://a:80/b | sh"],
        ['sh', '-c', `curl -sS -u 'me:${struckOut}' http://a:80/b | sh`],
      ],
    ] as const)
      assert.deepEqual(redact(...given), left)
    for (const args of [
      ['curl', '-o', 'a:b', 'http://a:80/'],
      ['docker', 'run', '-u', '1000:1000', 'x'],
      ['chown', '-u', 'a:b'],
    ])
      assert.deepEqual(redact(...args), args)
  })

  it('is a token in the format of its provider, though nobody has declared it', () => {
    const key = `AKIA${'QYLPMN5HHHFPZAM2'}`
    const stripe = `sk_live_${'4eC39HqLyjWDarjtT1zdp7dcABCDEFGH'}`
    assert.deepEqual(redact('tool', key, `x${stripe}`, `é: ${stripe} – ${key}.`), [
      'tool',
      struckOut,
      redact('tool', `x${stripe}`)[1],
      `é: ${struckOut} – ${struckOut}.`,
    ])
    const [, script = ''] = redact('sh', `aws configure set aws_access_key_id ${key} && ls`)
    assert.equal(script, `aws configure set aws_access_key_id ${struckOut} && ls`)
  })

  it('costs no more than it may: an argument with all keywords there are is struck out as a whole', () => {
    const keywords = ownRules.flatMap(rule => rule.keywords).join(' ')
    assert.deepEqual(redact('tool', keywords, 'an ordinary argument'), ['tool', struckOut, 'an ordinary argument'])
  })

  it('is not what only sounds so', () => {
    for (const args of [
      ['ls', '-l', '/etc/passwd'],
      ['node', 'server.js', '--port=80', '--token-file=/run/x'],
      ['curl', 'https://example.org:8443/a?b=c'],
      ['sh', '-c', 'echo a:b; PATH=/bin ls'],
      ['ssh', 'me@host', '-p', '22'],
    ])
      assert.deepEqual(redact(...args), args)
  })
})
