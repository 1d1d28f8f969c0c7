/** Questions to name servers and all that their replies say, by hand: what is looked at here must not be made up by a library. */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'

export interface Question {
  readonly server: string
  readonly name: string
  /** Default: `A`. */
  readonly type?: keyof typeof types
  /** Default: udp. */
  readonly transport?: 'udp' | 'tcp'
}

export interface Reply {
  readonly code: string
  readonly answers: readonly { readonly type: string; readonly ttl: number; readonly data: string }[]
}

const types = { A: 1, NS: 2, CNAME: 5, PTR: 12, TXT: 16, AAAA: 28, ANY: 255 } as const
const codes = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']

const encode = ({ name, type = 'A' }: Question): Buffer => {
  const labels = name.split('.').map(label => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]))
  return Buffer.concat([Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), ...labels, Buffer.from([0, 0, types[type], 0, 1])])
}

const readName = (message: Buffer, at: number): { name: string; end: number } => {
  const labels: string[] = []
  for (let here = at, end: number | undefined; ; ) {
    const length = message.readUInt8(here)
    if (length >= 0xc0) {
      end ??= here + 2
      here = message.readUInt16BE(here) & 0x3fff
    } else if (length === 0) {
      return { name: labels.join('.'), end: end ?? here + 1 }
    } else {
      labels.push(message.toString('latin1', here + 1, here + 1 + length))
      here += length + 1
    }
  }
}

const decode = (message: Buffer): Reply => {
  let at = 12
  for (let questions = message.readUInt16BE(4); questions > 0; questions--) at = readName(message, at).end + 4
  const answers = Array.from({ length: message.readUInt16BE(6) }, () => {
    const start = readName(message, at).end
    const number = message.readUInt16BE(start)
    const length = message.readUInt16BE(start + 8)
    const type = Object.entries(types).find(([, value]) => value === number)?.[0] ?? String(number)
    const raw = message.subarray(start + 10, start + 10 + length)
    at = start + 10 + length
    const data = type === 'A' ? [...raw].join('.') : type === 'PTR' || type === 'CNAME' ? readName(message, start + 10).name : raw.toString('hex')
    return { type, ttl: message.readUInt32BE(start + 4), data }
  })
  return { code: codes[message.readUInt8(3) & 15] ?? 'other', answers }
}

export const inquire = (question: Question, wait: number): Promise<Reply> => (question.transport === 'tcp' ? byTcp : byUdp)(question, wait)

const byUdp = (question: Question, wait: number): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    const finish = (end: () => void): void => {
      clearTimeout(timer)
      socket.close(end)
    }
    const timer = setTimeout(() => finish(() => reject(new Error('silence'))), wait)
    socket.on('message', message => finish(() => resolve(decode(message))))
    socket.on('error', error => finish(() => reject(error)))
    socket.connect(53, question.server, (error?: Error | null) => {
      if (error instanceof Error) finish(() => reject(error))
      else socket.send(encode(question))
    })
  })

const byTcp = (question: Question, wait: number): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: question.server, port: 53 })
    const chunks: Buffer[] = []
    const finish = (end: () => void): void => {
      clearTimeout(timer)
      socket.destroy()
      end()
    }
    const timer = setTimeout(() => finish(() => reject(new Error('silence'))), wait)
    socket.on('data', (data: Buffer) => {
      chunks.push(data)
      const got = Buffer.concat(chunks)
      if (got.length >= 2 && got.length >= got.readUInt16BE(0) + 2) finish(() => resolve(decode(got.subarray(2))))
    })
    socket.on('error', error => finish(() => reject(error)))
    const message = encode(question)
    socket.write(Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message]))
  })
