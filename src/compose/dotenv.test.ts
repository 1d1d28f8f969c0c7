// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables of compose files look like that
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isEnvironmentFailure, parseDotenv, parseRawEnvironment } from './dotenv.ts'

const caller: Readonly<Record<string, string>> = { HOME: '/root', SHARED: 'caller' }
const lookup = (name: string): string | undefined => caller[name]
const read = (text: string): Record<string, string> => {
  const parsed = parseDotenv(text, lookup)
  if (isEnvironmentFailure(parsed)) throw new Error(`line ${parsed.line}: ${parsed.message}`)
  return Object.fromEntries(parsed.values)
}

describe('.env', () => {
  for (const [text, expected] of [
    ['A=1\nB=2', { A: '1', B: '2' }],
    ['A = 1 ', { A: '1' }],
    ['A: yaml', { A: 'yaml' }],
    ['export A=1\nexport\tB=2', { A: '1', B: '2' }],
    ['# comment\n\n  # more\nA=1', { A: '1' }],
    ['A=1 # comment\nB=1#none', { A: '1', B: '1#none' }],
    ['A=', { A: '' }],
    ['A=\nB=2', { A: '', B: '2' }],
    ["A='l $HOME \\n'", { A: 'l $HOME \\n' }],
    ["A='it\\'s'", { A: "it's" }],
    ['A="q \\"x\\" \\\\ \\n\\t."', { A: 'q "x" \\ \n\t.' }],
    ['A="one\ntwo"\nB=3', { A: 'one\ntwo', B: '3' }],
    ['A="x" # comment\nB=2', { A: 'x', B: '2' }],
    ['A=$HOME/${B:-x}\nB=y', { A: '/root/x', B: 'y' }],
    ['B=y\nA=$B', { A: 'y', B: 'y' }],
    ['SHARED=file\nA=$SHARED', { SHARED: 'file', A: 'caller' }],
    ['A="\\$HOME $$HOME"', { A: '$HOME $HOME' }],
    ['HOME\nMISSING\nA=1', { HOME: '/root', A: '1' }],
    ['HOME', { HOME: '/root' }],
    ['\uFEFFA=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['A.B-c[0]=1', { 'A.B-c[0]': '1' }],
    ['A=a=b', { A: 'a=b' }],
    ['A=1\nA=2', { A: '2' }],
    ['A="\\0101"', { A: 'A' }],
  ] as const) {
    it(JSON.stringify(text), () => assert.deepEqual(read(text), expected))
  }

  for (const [text, line] of [
    ['A=1\nB C=2', 2],
    ['A=1\n\nB="open\nx', 3],
    ['A%=1', 1],
    ['A=${', 1],
    ['A=1\nB=${X:?no}', 2],
  ] as const) {
    it(`${JSON.stringify(text)} is wrong in line ${line}`, () => {
      const parsed = parseDotenv(text, lookup)
      assert.ok(isEnvironmentFailure(parsed))
      assert.equal(parsed.line, line)
    })
  }

  it('a value in quotes comes back', () => {
    const plain = fc.string({ unit: 'grapheme' }).map(text => text.replaceAll('\r', ''))
    const quoted = (text: string): string => `A="${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('$', '\\$')}"`
    fc.assert(fc.property(plain, text => read(quoted(text))['A'] === text))
  })

  it('never throws', () => {
    const hostile = fc.string({ unit: fc.constantFrom('A', '=', '"', "'", '\\', '$', '{', '}', '\n', '#', ' ', ':') })
    fc.assert(fc.property(hostile, text => typeof parseDotenv(text, lookup) === 'object'))
  })

  it('raw takes lines as they are', () => {
    const parsed = parseRawEnvironment('A="x" # y\n# c\n\nB=$HOME\nHOME\nNONE\n', lookup)
    assert.ok(!isEnvironmentFailure(parsed))
    assert.deepEqual(Object.fromEntries(parsed.values), { A: '"x" # y', B: '$HOME', HOME: '/root' })
    assert.ok(isEnvironmentFailure(parseRawEnvironment('A B=1', lookup)))
  })
})
