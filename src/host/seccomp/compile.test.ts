import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { spawnHelper } from '../native/helper.ts'
import type { SeccompSource } from './compile.ts'
import { compileSeccomp, seccompSource } from './compile.ts'
import type { CallGroup, Condition } from './profile.ts'
import { defaultProfile } from './profile.ts'
import type { Call } from './simulate.test.ts'
import { createFilter } from './simulate.test.ts'

const binary = join(import.meta.dirname, '../../../native/build/dayfly-helper')
const headers = '/usr/include/x86_64-linux-gnu/asm'
const skip = !existsSync(binary)
  ? 'native/build/dayfly-helper is not built: make -C native'
  : !existsSync(`${headers}/unistd_64.h`)
    ? 'the kernel headers with the numbers of the system calls are missing: apt-get install linux-libc-dev'
    : false

const x32Bit = 0x4000_0000
/** AUDIT_ARCH_*, where the numbers of the calls stand, and how many bits of an argument a 32-bit program can set, or a filter for it looks at. */
const machines = {
  x86_64: { audit: 0xc000_003e, header: 'unistd_64.h', offset: 0, bits: 64 },
  x86: { audit: 0x4000_0003, header: 'unistd_32.h', offset: 0, bits: 32 },
  x32: { audit: 0xc000_003e, header: 'unistd_x32.h', offset: x32Bit, bits: 32 },
}

const numbersOf = ({ header, offset }: { header: string; offset: number }): Map<string, number> =>
  new Map(
    [...readFileSync(`${headers}/${header}`, 'utf8').matchAll(/#define __NR_(\w+) (?:\(__X32_SYSCALL_BIT \+ )?(\d+)/g)].map(
      ([, name = '', number]) => [name, Number(number) + offset] as const,
    ),
  )

const holds = (condition: Condition, args: readonly bigint[]): boolean => {
  const value = args[condition.argument] ?? 0n
  switch (condition.is) {
    case 'equal':
      return value === condition.value
    case 'greater':
      return value > condition.value
    case 'masked':
      return (value & condition.mask) === condition.value
  }
}
const applies = ({ calls, when = [[]] }: CallGroup, name: string, args: readonly bigint[]): boolean =>
  calls.includes(name) && when.some(alternative => alternative.every(condition => holds(condition, args)))

/** What the profile says when it is read as its header tells to: `allow`, or the errnos of the groups that refuse, any of which will do. */
const verdicts = (name: string, args: readonly bigint[]): (number | 'allow')[] => {
  const refusals = defaultProfile.refused.filter(group => applies(group, name, args)).map(({ errno }) => errno)
  if (refusals.length > 0) return refusals
  return [defaultProfile.allowed.some(group => applies(group, name, args)) ? 'allow' : defaultProfile.otherwise]
}

/** Arguments at and around every value that a condition on the call compares with, in the low half and with rubbish in the high one. */
const interestingArguments = (name: string): bigint[][] => {
  const none = [0n, 0n, 0n, 0n, 0n, 0n]
  const alternatives = [...defaultProfile.allowed, ...defaultProfile.refused].flatMap(({ calls, when = [] }) => (calls.includes(name) ? when : []))
  const near = alternatives.flatMap(alternative => {
    const meets = alternative.reduce((args, { argument, value }) => args.with(argument, value), none)
    return alternative.flatMap(({ argument, value }) =>
      [value, value + 1n, value - 1n, value | (1n << 32n), value | (1n << 63n), value | 0x11n, ~value].map(other =>
        meets.with(argument, BigInt.asUintN(64, other)),
      ),
    )
  })
  return [none, none.map(() => 0xffff_ffff_ffff_ffffn), none.map(() => 0x1_0000_0000n), ...near]
}

const compileFor = async (architecture: string): Promise<{ program: Buffer; unknown: readonly string[] }> => {
  await using helper = await spawnHelper({ binary })
  const { program, unknown } = await helper.compileSeccomp(seccompSource(defaultProfile, architecture))
  return { program: Buffer.from(program, 'base64'), unknown }
}

describe('the default seccomp profile, compiled', { skip }, () => {
  for (const [machine, { audit, header, offset, bits }] of Object.entries(machines)) {
    it(`decides every call of ${machine} as the profile reads`, async () => {
      const { program, unknown } = await compileFor('x64')
      const filter = createFilter(program)
      let compared = 0
      for (const [name, number] of numbersOf({ header, offset })) {
        for (const args of interestingArguments(name)) {
          const expected = unknown.includes(name)
            ? [defaultProfile.otherwise]
            : verdicts(
                name,
                args.map(arg => BigInt.asUintN(bits, arg)),
              )
          const call: Call = { number, architecture: audit, args }
          const decided = filter(call)
          const shown = `${name}(${args.map(arg => `0x${arg.toString(16)}`).join(', ')})`
          assert.ok(decided !== 'kill' && expected.includes(decided), `${shown}: ${decided}, expected ${expected.join(' or ')}`)
          compared++
        }
      }
      assert.ok(compared > 1000, `only ${compared} calls were compared`)
    })
  }

  it('gives ENOSYS to calls that are newer than every list, and ends a process of another architecture', async () => {
    const x86 = createFilter((await compileFor('x64')).program)
    const args = [0n, 0n, 0n, 0n, 0n, 0n]
    assert.equal(x86({ number: 9999, architecture: machines.x86_64.audit, args }), defaultProfile.otherwise)
    assert.equal(x86({ number: 0, architecture: 0xc000_00b7, args }), 'kill')
    const arm = createFilter((await compileFor('arm64')).program)
    assert.equal(arm({ number: 0, architecture: machines.x86_64.audit, args }), 'kill')
    assert.equal(arm({ number: 9999, architecture: 0xc000_00b7, args }), defaultProfile.otherwise)
    // 63 read, 198 socket, 97 unshare, 220 clone, 435 clone3 on arm64
    assert.equal(arm({ number: 63, architecture: 0xc000_00b7, args }), 'allow')
    assert.equal(arm({ number: 198, architecture: 0xc000_00b7, args: args.with(0, 38n) }), verdicts('socket', [38n])[0])
    assert.equal(arm({ number: 97, architecture: 0xc000_00b7, args: args.with(0, 0x1000_0000n) }), verdicts('unshare', [0x1000_0000n])[0])
    assert.equal(arm({ number: 435, architecture: 0xc000_00b7, args }), verdicts('clone3', [])[0])
  })

  it('has no call in two groups that say different things, and no name that nobody knows', async () => {
    const plain = (group: CallGroup): readonly string[] => (group.when === undefined ? group.calls : [])
    const allowed = defaultProfile.allowed.flatMap(plain)
    const refused = new Set(defaultProfile.refused.flatMap(plain))
    assert.deepEqual(
      allowed.filter(name => refused.has(name)),
      [],
    )
    assert.deepEqual(
      allowed.filter((name, index) => allowed.indexOf(name) !== index),
      [],
    )
    const all = [...new Set([...defaultProfile.allowed, ...defaultProfile.refused].flatMap(({ calls }) => calls))]
    const everywhere = new Set(Object.values(machines).flatMap(machine => [...numbersOf(machine).keys()]))
    // Newer than the headers of Debian 12, and calls of other architectures.
    const elsewhere = new Set(['cachestat', 'fchmodat2', 'map_shadow_stack', 'futex_wait', 'futex_wake', 'futex_requeue', 'mseal', 'open_tree_attr'])
    for (const name of [
      'getxattrat',
      'setxattrat',
      'listxattrat',
      'removexattrat',
      'send',
      'recv',
      'pciconfig_read',
      'pciconfig_write',
      'pciconfig_iobase',
    ]) {
      elsewhere.add(name)
    }
    assert.deepEqual(
      all.filter(name => !everywhere.has(name) && !elsewhere.has(name)),
      [],
    )
  })
})

describe('compileSeccomp', () => {
  it('compiles once, keeps the result, and compiles again when it is torn or made by another library', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'dayfly-seccomp-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const sources: SeccompSource[] = []
    const compiler = (library: string) => ({
      library,
      compile: async (source: SeccompSource) => {
        sources.push(source)
        return { program: `program${sources.length}` }
      },
    })
    const cache = join(folder, 'made', 'on demand')
    assert.equal(await compileSeccomp(defaultProfile, compiler('a 1'), cache, 'x64'), 'program1')
    assert.equal(await compileSeccomp(defaultProfile, compiler('a 1'), cache, 'x64'), 'program1')
    assert.equal(await compileSeccomp(defaultProfile, compiler('a 2'), cache, 'x64'), 'program2')
    assert.equal(await compileSeccomp({ ...defaultProfile, otherwise: 1 }, compiler('a 2'), cache, 'x64'), 'program3')
    assert.equal(await compileSeccomp(defaultProfile, compiler('a 1'), cache, 'arm64'), 'program4')
    for (const name of readdirSync(cache)) writeFileSync(join(cache, name), readFileSync(join(cache, name)).subarray(0, -3))
    assert.equal(await compileSeccomp(defaultProfile, compiler('a 1'), cache, 'x64'), 'program5')
    assert.equal(readdirSync(cache).length, 4)
  })

  it('refuses an architecture that the profile was not made for', () => {
    assert.throws(() => seccompSource(defaultProfile, 'riscv64'), { code: 'host', message: /riscv64/ })
  })

  it('keeps nothing when compiling fails', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'dayfly-seccomp-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const failing = { library: '', compile: () => Promise.reject(new Error('no')) }
    await assert.rejects(compileSeccomp(defaultProfile, failing, folder, 'x64'), { message: 'no' })
    assert.deepEqual(readdirSync(folder), [])
  })
})
