/** What the kernel does with a seccomp filter, for tests: an interpreter of classic BPF, as far as libseccomp uses it. */
import assert from 'node:assert/strict'
import { it } from 'node:test'

export interface Call {
  readonly number: number
  /** AUDIT_ARCH_* */
  readonly architecture: number
  readonly args: readonly bigint[]
}

/** struct seccomp_data: number, architecture, instruction pointer, six arguments. */
const encode = ({ number, architecture, args }: Call): Buffer => {
  const data = Buffer.alloc(64)
  data.writeUInt32LE(number, 0)
  data.writeUInt32LE(architecture, 4)
  for (const [index, arg] of args.entries()) data.writeBigUInt64LE(arg, 16 + 8 * index)
  return data
}

const code = { load: 0x20, and: 0x54, jump: 0x05, equal: 0x15, greater: 0x25, greaterOrEqual: 0x35, set: 0x45, return: 0x06 }
const action = { killProcess: 0x8000_0000, killThread: 0, errno: 0x0005_0000, allow: 0x7fff_0000 }

const decide = (value: number): number | 'allow' | 'kill' => {
  if (value === action.allow) return 'allow'
  if (value === action.killProcess || value === action.killThread) return 'kill'
  assert.equal((value & 0xffff_0000) >>> 0, action.errno, `an unexpected verdict 0x${value.toString(16)}`)
  return value & 0xffff
}

/** Runs the filter on a call: `allow`, `kill`, or the errno that the call fails with. */
export const createFilter = (program: Buffer): ((call: Call) => number | 'allow' | 'kill') => {
  assert.equal(program.length % 8, 0)
  return call => {
    const data = encode(call)
    let accumulator = 0
    for (let at = 0; at < program.length; at += 8) {
      const operation = program.readUInt16LE(at)
      const operand = program.readUInt32LE(at + 4)
      const jump = (taken: boolean): void => {
        at += 8 * (program[at + (taken ? 2 : 3)] ?? 0)
      }
      switch (operation) {
        case code.load:
          accumulator = data.readUInt32LE(operand)
          break
        case code.and:
          accumulator = (accumulator & operand) >>> 0
          break
        case code.jump:
          at += 8 * operand
          break
        case code.equal:
          jump(accumulator === operand)
          break
        case code.greater:
          jump(accumulator > operand)
          break
        case code.greaterOrEqual:
          jump(accumulator >= operand)
          break
        case code.set:
          jump((accumulator & operand) !== 0)
          break
        case code.return:
          return decide(operand)
        default:
          assert.fail(`an instruction 0x${operation.toString(16)} that seccomp filters do not have`)
      }
    }
    return assert.fail('the filter ended without a verdict')
  }
}

it('simulates a filter by hand: read is allowed, everything else fails with EPERM', () => {
  const program = Buffer.alloc(32)
  const put = (index: number, operation: number, yes: number, no: number, operand: number): void => {
    program.writeUInt16LE(operation, index * 8)
    program[index * 8 + 2] = yes
    program[index * 8 + 3] = no
    program.writeUInt32LE(operand, index * 8 + 4)
  }
  put(0, code.load, 0, 0, 0)
  put(1, code.equal, 1, 0, 0)
  put(2, code.return, 0, 0, action.errno | 1)
  put(3, code.return, 0, 0, action.allow)
  const filter = createFilter(program)
  assert.equal(filter({ number: 0, architecture: 0, args: [] }), 'allow')
  assert.equal(filter({ number: 1, architecture: 0, args: [] }), 1)
})
