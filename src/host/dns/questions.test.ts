import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AnsweredQuestion } from './questions.ts'
import { createQuestions } from './questions.ts'

const asked = (serial: number, name: string, source = '10.208.0.2'): string => `dnsmasq[9]: ${serial} ${source}/4000 query[A] ${name} from ${source}`
const line = (serial: number, text: string): string => `dnsmasq[9]: ${serial} 10.208.0.2/4000 ${text}`

const told = (lines: readonly string[], now?: number): AnsweredQuestion[] => {
  const all: AnsweredQuestion[] = []
  const questions = createQuestions('10.208.0.1', question => all.push(question))
  for (const each of lines) questions.add(each)
  if (now === undefined) questions[Symbol.dispose]()
  else {
    questions.look(now)
    const before = all.length
    questions[Symbol.dispose]()
    all.length = before
  }
  return all
}

describe('questions in a log', () => {
  test('have all their answers', () => {
    const all = told([
      'dnsmasq[9]: started, version 2.90 cachesize 300',
      asked(1, 'registry.example.org'),
      line(1, 'forwarded registry.example.org to 192.0.2.1'),
      asked(2, 'web'),
      line(2, '/run/dayfly/resolvers/dfy0-1/hosts web is 10.208.0.3'),
      line(1, 'reply registry.example.org is <CNAME>'),
      line(1, 'reply cdn.example.org is 192.0.2.7'),
      line(1, 'reply cdn.example.org is 192.0.2.8'),
      asked(3, 'evil.test'),
      line(3, 'config error is REFUSED (EDE: not ready)'),
      asked(4, 'typo'),
      line(4, 'config typo is NXDOMAIN'),
      asked(5, 'six'),
      line(5, 'config six is NODATA-IPv6'),
      asked(6, 'web'),
      line(6, 'cached web is 10.208.0.3'),
      asked(7, 'state.test', '10.208.0.1'),
    ])
    assert.deepEqual(
      all.map(({ name, answers }) => [name, ...answers]),
      [
        ['registry.example.org', '192.0.2.7', '192.0.2.8'],
        ['web', '10.208.0.3'],
        ['evil.test', 'REFUSED'],
        ['typo', 'NXDOMAIN'],
        ['six', 'NODATA'],
        ['web', '10.208.0.3'],
      ],
    )
    assert.deepEqual([all[0]?.source, all[0]?.port, all[0]?.type], ['10.208.0.2', 4000, 'A'])
  })

  test('have the whole name, whatever is in it, and only their own answers', () => {
    const all = told([
      asked(1, 'google.com from.secretdata.evil.com'),
      line(1, 'config google.com from.secretdata.evil.com is REFUSED (EDE: not ready)'),
      asked(2, 'x from 10.208.0.9'),
      asked(3, 'a is 192.0.2.1'),
      line(3, 'config a is 192.0.2.1 is NXDOMAIN'),
      asked(4, '<name unprintable>'),
      line(4, 'config <name unprintable> is NXDOMAIN'),
      line(5, 'query[A] cut off in the mid'),
    ])
    assert.deepEqual(
      all.map(({ name, answers }) => [name, ...answers]),
      [
        ['google.com from.secretdata.evil.com', 'REFUSED'],
        ['x from 10.208.0.9'],
        ['a is 192.0.2.1', 'NXDOMAIN'],
        ['<name unprintable>', 'NXDOMAIN'],
        ['<name unprintable>'],
      ],
    )
  })

  test('wait for an answer, but not for ever', () => {
    const lines = [asked(1, 'slow.test'), asked(2, 'web'), line(2, 'cached web is 10.208.0.3')]
    assert.deepEqual(told(lines, Date.now()), [])
    assert.deepEqual(
      told(lines, Date.now() + 1_000).map(({ name }) => name),
      ['web'],
    )
    assert.deepEqual(
      told(lines, Date.now() + 11_000).map(({ name, answers }) => [name, answers.length]),
      [
        ['slow.test', 0],
        ['web', 1],
      ],
    )
  })
})
