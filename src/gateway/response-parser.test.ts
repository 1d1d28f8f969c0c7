import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { BadAnswer, ResponseParser } from './response-parser.ts'

interface Heard {
  readonly informed: number[]
  status: number
  headers: string[]
  body: string
  trailers: string[] | undefined
  ends: number
}

const parse = (pieces: readonly string[], options: { method?: string; close?: boolean } = {}): Heard & { parser: ResponseParser } => {
  const heard: Heard = { informed: [], status: 0, headers: [], body: '', trailers: undefined, ends: 0 }
  const parser = new ResponseParser({
    onInform: status => void heard.informed.push(status),
    onHead: (status, headers) => void Object.assign(heard, { status, headers }),
    onPiece: chunk => {
      heard.body += chunk.toString('latin1')
    },
    onEnd: trailers => {
      heard.trailers = trailers
      heard.ends++
    },
  })
  parser.begin(options.method ?? 'GET')
  for (const piece of pieces) parser.feed(Buffer.from(piece, 'latin1'))
  if (options.close === true) parser.finish()
  return Object.assign(heard, { parser })
}

const answers: Readonly<
  Record<string, { text: string; body: string; trailers?: string[]; keepAlive: boolean; close?: boolean; method?: string; informed?: number[] }>
> = {
  length: { text: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: \t a b \t\r\n\r\nhello', body: 'hello', keepAlive: true },
  'no body': { text: 'HTTP/1.1 204 No Content\r\n\r\n', body: '', keepAlive: true },
  'length zero': { text: 'HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n', body: '', keepAlive: true },
  'not modified, with the length of what was not sent': { text: 'HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n', body: '', keepAlive: true },
  head: { text: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', body: '', keepAlive: true, method: 'HEAD' },
  chunks: {
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5;x="y"\r\nhello\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\nX-Two: 2\r\n\r\n',
    body: 'hello0123456789',
    trailers: ['x-sum', '1', 'x-two', '2'],
    keepAlive: true,
  },
  'chunks, none': { text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', body: '', keepAlive: true },
  'until the close': { text: 'HTTP/1.1 200 OK\r\n\r\nhello', body: 'hello', keepAlive: false, close: true },
  'close asked for': { text: 'HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 5\r\n\r\nhello', body: 'hello', keepAlive: false },
  '1.0': { text: 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello', body: 'hello', keepAlive: false },
  '1.0, kept': { text: 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello', body: 'hello', keepAlive: true },
  'the same length twice': { text: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello', body: 'hello', keepAlive: true },
  informed: {
    text: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!',
    body: '!',
    keepAlive: true,
    informed: [100, 103],
  },
}

describe('an answer', () => {
  it('is read the same however it is cut into pieces', () => {
    for (const [name, { text, body, trailers = [], keepAlive, informed = [], ...options }] of Object.entries(answers)) {
      const check = (pieces: readonly string[]): void => {
        const heard = parse(pieces, options)
        assert.deepEqual(
          [heard.body, heard.trailers, heard.ends, heard.parser.keepAlive, heard.parser.over],
          [body, trailers, 1, keepAlive, true],
          name,
        )
        assert.deepEqual(heard.informed, informed, name)
      }
      check([text])
      check([...text])
      fc.assert(
        fc.property(fc.uniqueArray(fc.nat(text.length), { maxLength: 8 }), cuts => {
          const at = [0, ...cuts.sort((left, right) => left - right), text.length]
          check(at.slice(1).map((end, index) => text.slice(at[index], end)))
        }),
        { numRuns: 200 },
      )
    }
    assert.deepEqual(parse([answers['length']?.text ?? '']).headers, ['content-length', '5', 'x', 'a b'])
  })

  it('followed by anything leaves a connection that is used no more', () => {
    for (const [name, { text, close, ...options }] of Object.entries(answers)) {
      if (close === true) continue
      const more = parse([`${text}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`], options)
      assert.deepEqual([more.ends, more.parser.keepAlive], [1, false], name)
      assert.throws(() => parse([text, 'x'], options), BadAnswer, name)
    }
  })

  it('that says how long its connection is kept is believed', () => {
    assert.equal(parse(['HTTP/1.1 204 X\r\nKeep-Alive: timeout=7, max=100\r\n\r\n']).parser.keepFor, 7_000)
  })

  it('that can be read in two ways, or in none, is refused', () => {
    const ok = 'HTTP/1.1 200 OK\r\n'
    const bad: Readonly<Record<string, string>> = {
      'another protocol': 'SSH-2.0-OpenSSH\r\n\r\n',
      'another version': 'HTTP/2.0 200 OK\r\n\r\n',
      'no status': 'HTTP/1.1 OK\r\n\r\n',
      'a status that is none': 'HTTP/1.1 2000 OK\r\n\r\n',
      'two lengths': `${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`,
      'a list of lengths': `${ok}Content-Length: 5, 5\r\n\r\n`,
      'a negative length': `${ok}Content-Length: -5\r\n\r\n`,
      'a length in hexadecimal': `${ok}Content-Length: 0x5\r\n\r\n`,
      'an endless length': `${ok}Content-Length: 99999999999999999999\r\n\r\n`,
      'a length and chunks': `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'two codings': `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`,
      'a coding twice': `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'chunks in 1.0': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      'a space before the colon': `${ok}Content-Length : 5\r\n\r\n`,
      'a folded header': `${ok}X: a\r\n b\r\n\r\n`,
      'no name': `${ok}: a\r\n\r\n`,
      'no colon': `${ok}hello\r\n\r\n`,
      'a bare line feed': `${ok}X: a\nY: b\r\n\r\n`,
      'a bare carriage return': `${ok}X: a\rY: b\r\n\r\n`,
      'a NUL': `${ok}X: a\0b\r\n\r\n`,
      'an upgrade': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n',
      'a chunk without a size': `${ok}Transfer-Encoding: chunked\r\n\r\n\r\n`,
      'a signed chunk': `${ok}Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n`,
      'a chunk beyond its size': `${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n`,
      'an endless size': `${ok}Transfer-Encoding: chunked\r\n\r\n${'0'.repeat(300)}`,
      'a trailer that is none': `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\nhello\r\n\r\n`,
      'an endless head': `${ok}X: ${'x'.repeat(70_000)}`,
    }
    for (const [name, text] of Object.entries(bad)) {
      assert.throws(() => parse([text]), BadAnswer, name)
      assert.throws(() => parse([...text]), BadAnswer, `${name}, byte by byte`)
    }
  })

  it('that breaks off is not taken for whole', () => {
    for (const text of [
      '',
      'HTTP/1.1 200',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
    ]) {
      assert.throws(() => parse([text], { close: true }), BadAnswer)
    }
  })
})
