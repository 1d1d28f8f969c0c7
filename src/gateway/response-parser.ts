/**
 * Answers of HTTP/1.x, read strictly (RFC 9112): what could be read in two ways is refused, for connections are shared, and the rest of one answer must
 * never become the beginning of another's.
 *
 *   head ──▶ length ──▶ over          head: 1xx, then the final one
 *        ├─▶ size ──▶ data ──▶ size … ──▶ trailers ──▶ over          chunked
 *        └─▶ close                    neither: until the connection ends, not reusable
 */

export interface AnswerEvents {
  onInform(status: number, headers: string[]): void
  onHead(status: number, headers: string[]): void
  onPiece(chunk: Buffer): void
  onEnd(trailers: string[]): void
}

/** In words that follow "answered with". */
export class BadAnswer extends Error {
  readonly code = 'BAD_ANSWER'
}

type State = 'head' | 'length' | 'size' | 'data' | 'after' | 'trailers' | 'close' | 'over'

const headLimit = 64 * 1024
const sizeLimit = 256
const beginning = 'HTTP/1.'

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const badValue = /[^\t\x20-\x7e\x80-\xff]/
const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
const chunkSize = /^([0-9a-f]{1,12})[ \t]*(?:;.*)?$/i

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09

/** A value without the spaces around it. */
const trimmed = (line: string, from: number): string => {
  let [begin, end] = [from, line.length]
  while (begin < end && isSpace(line.charCodeAt(begin))) begin++
  while (end > begin && isSpace(line.charCodeAt(end - 1))) end--
  return line.slice(begin, end)
}

export class ResponseParser {
  readonly #events: AnswerEvents
  #state: State = 'over'
  #isHead = false
  /** The head that was read last has no body after it. */
  #bodyless = false
  #left = 0
  /** The beginning of a head, of a size line or of trailers, whose end has not come yet. */
  #kept: Buffer | undefined
  /** The connection can carry another request after this answer. */
  keepAlive = false
  /** ms that the instance says it keeps an idle connection. */
  keepFor: number | undefined

  constructor(events: AnswerEvents) {
    this.#events = events
  }

  /** Something of the answer has come. */
  get begun(): boolean {
    return this.#state !== 'head' || this.#kept !== undefined
  }

  get over(): boolean {
    return this.#state === 'over'
  }

  /** The next answer is to a request of this method. */
  begin(method: string): void {
    this.#state = 'head'
    this.#isHead = method === 'HEAD'
    this.#kept = undefined
    this.#bodyless = false
    this.keepAlive = false
    this.keepFor = undefined
  }

  /** Throws BadAnswer; then the connection is of no use any more. */
  feed(given: Buffer): void {
    let at = 0
    let chunk = given
    if (this.#kept !== undefined) {
      chunk = Buffer.concat([this.#kept, given])
      this.#kept = undefined
    }
    while (at < chunk.length) {
      switch (this.#state) {
        case 'head': {
          const end = this.#find(chunk, at, '\r\n\r\n', headLimit)
          if (end === -1) {
            if (!beginning.startsWith(chunk.toString('latin1', at, at + beginning.length))) throw new BadAnswer('something that is not HTTP')
            return
          }
          const text = chunk.toString('latin1', at, end)
          at = end + 4
          this.#head(text)
          if (this.#bodyless) return void this.#end([], chunk.length - at)
          break
        }
        case 'length':
        case 'data': {
          const end = Math.min(chunk.length, at + this.#left)
          this.#left -= end - at
          const piece = at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end)
          at = end
          this.#events.onPiece(piece)
          if (this.#left > 0) break
          if (this.#state === 'length') return void this.#end([], chunk.length - at)
          this.#state = 'after'
          break
        }
        case 'size': {
          const end = this.#find(chunk, at, '\r\n', sizeLimit)
          if (end === -1) return
          const size = chunkSize.exec(chunk.toString('latin1', at, end))
          if (size === null) throw new BadAnswer('a chunk without a size')
          at = end + 2
          this.#left = Number.parseInt(size[1] ?? '', 16)
          this.#state = this.#left === 0 ? 'trailers' : 'data'
          break
        }
        case 'after': {
          const end = this.#find(chunk, at, '\r\n', 2)
          if (end === -1) return
          if (end !== at) throw new BadAnswer('a chunk longer than its size')
          at += 2
          this.#state = 'size'
          break
        }
        case 'trailers': {
          const empty = chunk.length - at >= 2 && chunk[at] === 0x0d && chunk[at + 1] === 0x0a
          const end = empty ? at : this.#find(chunk, at, '\r\n\r\n', headLimit)
          if (end === -1) return
          const text = chunk.toString('latin1', at, end)
          at = empty ? end + 2 : end + 4
          return void this.#end(empty ? [] : this.#fields(text.split('\r\n'), 0), chunk.length - at)
        }
        case 'close':
          this.#events.onPiece(at === 0 ? chunk : chunk.subarray(at))
          return
        case 'over':
          throw new BadAnswer('more than it announced')
      }
    }
  }

  /** The connection has ended. Throws BadAnswer when the answer had not. */
  finish(): void {
    if (this.#state === 'close') this.#end([], 0)
    else if (this.#state !== 'over') throw new BadAnswer('less than it announced')
  }

  /** Where `mark` begins, or -1 when it has not come: what is there is kept. */
  #find(chunk: Buffer, from: number, mark: string, limit: number): number {
    const found = chunk.indexOf(mark, from, 'latin1')
    if ((found === -1 ? chunk.length : found) - from > limit) throw new BadAnswer(`a head, a chunk's size or trailers beyond ${limit} bytes`)
    if (found === -1) this.#kept = chunk.subarray(from)
    return found
  }

  #head(text: string): void {
    const lines = text.split('\r\n')
    const line = statusLine.exec(lines[0] ?? '')
    if (line === null) throw new BadAnswer('something that is not HTTP')
    const status = Number(line[2])
    let length: number | undefined
    let coding: string | undefined
    let connection = ''
    const headers = this.#fields(lines, 1)
    for (let at = 0; at < headers.length; at += 2) {
      const value = headers[at + 1] ?? ''
      switch (headers[at]) {
        case 'content-length': {
          if (!/^\d{1,15}$/.test(value) || (length !== undefined && length !== Number(value))) throw new BadAnswer('a length that is none, or two')
          length = Number(value)
          break
        }
        case 'transfer-encoding':
          coding = coding === undefined ? value.toLowerCase() : 'several'
          break
        case 'connection':
          connection += `,${value.toLowerCase()}`
          break
        case 'keep-alive': {
          const hint = /timeout=(\d{1,6})/i.exec(value)
          if (hint !== null) this.keepFor = Number(hint[1]) * 1000
          break
        }
        default:
      }
    }
    if (status === 101) throw new BadAnswer('a change of protocol that nobody asked for')
    if (status < 200) return void this.#events.onInform(status, headers)
    const options = connection.split(',').map(option => option.trim())
    this.keepAlive = line[1] === '1' ? !options.includes('close') : options.includes('keep-alive')
    if (coding !== undefined && (coding !== 'chunked' || length !== undefined || line[1] === '0')) {
      throw new BadAnswer('a body whose end can be seen in two ways (Transfer-Encoding)')
    }
    this.#bodyless = this.#isHead || status === 204 || status === 304 || length === 0
    if (this.#bodyless) this.#state = 'over'
    else if (coding !== undefined) this.#state = 'size'
    else if (length === undefined) {
      this.#state = 'close'
      this.keepAlive = false
    } else {
      this.#left = length
      this.#state = 'length'
    }
    this.#events.onHead(status, headers)
  }

  /** Whoever hears of the end may begin another request within the call: nothing of `rest` bytes that follow may be read as its answer. */
  #end(trailers: string[], rest: number): void {
    this.#state = 'over'
    if (rest > 0) this.keepAlive = false
    this.#events.onEnd(trailers)
  }

  /** Flat pairs, names in lower case. */
  #fields(lines: readonly string[], from: number): string[] {
    const fields: string[] = []
    for (let index = from; index < lines.length; index++) {
      const line = lines[index] ?? ''
      const colon = line.indexOf(':')
      const name = line.slice(0, colon)
      const value = trimmed(line, colon + 1)
      if (colon <= 0 || !token.test(name) || badValue.test(value)) throw new BadAnswer('a header that is none')
      fields.push(name.toLowerCase(), value)
    }
    return fields
  }
}
