/** Runs dayfly-unpack on bytes, in a folder with neighbours that must stay as they are. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../../..')
export const unpackBinary = join(root, 'native/build/dayfly-unpack')

export const buildUnpacker = (): void => {
  execFileSync('make', ['-C', join(root, 'native'), '--no-print-directory', 'build/dayfly-unpack'], { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** The same sources under the address and undefined behaviour sanitizers. Returns its path in `folder`. */
export const buildSanitized = (folder: string): string => {
  const flags = '-O1 -g -std=c17 -D_GNU_SOURCE -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -MMD -MP'
  const build = join(folder, 'build')
  execFileSync(
    'make',
    [
      '-C',
      join(root, 'native'),
      '--no-print-directory',
      `BUILD=${build}`,
      `CFLAGS=${flags}`,
      'LDFLAGS=-fsanitize=address,undefined',
      join(build, 'dayfly-unpack'),
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  return join(build, 'dayfly-unpack')
}

export interface Outcome {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
  /** The unpacked folder. */
  readonly folder: string
}

export interface Bench extends Disposable {
  readonly folder: string
  unpack(archive: Buffer, ...args: string[]): Outcome
}

/** `wrapper`: a command that execs the unpacker. */
export const createBench = (binary = unpackBinary, wrapper: readonly string[] = []): Bench => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-unpack-'))
  let count = 0
  return {
    folder,
    unpack: (archive, ...args) => {
      const cell = join(folder, String(count++))
      const target = join(cell, 'layer')
      mkdirSync(target, { recursive: true })
      mkdirSync(join(cell, 'outside'))
      writeFileSync(join(cell, 'outside', 'canary'), 'alive')
      writeFileSync(join(cell, 'canary'), 'alive')
      const before = listing(cell, 'layer')
      const [program = binary, ...rest] = [...wrapper, binary, target, ...args]
      const { status, signal, stdout, stderr } = spawnSync(program, rest, {
        input: archive,
        maxBuffer: 64 << 20,
        env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0:exitcode=99', UBSAN_OPTIONS: 'exitcode=98' },
      })
      assert.equal(listing(cell, 'layer'), before, 'something was written outside the layer')
      return { code: status, signal, stdout: stdout.toString(), stderr: stderr.toString(), folder: target }
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Everything in a folder but `except`, with what can be seen of it: name, type, mode, owner, size, links, time, target, content. */
export const listing = (folder: string, except = ''): string => {
  const prune = except === '' ? [] : ['-path', `./${except}`, '-prune', '-o']
  const found = execFileSync('find', ['.', ...prune, '-printf', '%p %y %m %U:%G %s %n %T@ %l\\n'], { cwd: folder, maxBuffer: 64 << 20 }).toString(
    'latin1',
  )
  // Sizes of folders are the file system's affair.
  return found
    .split('\n')
    .map(line => line.replace(/^(.* d \S+ \S+) \d+ \d+/, '$1'))
    .sort()
    .join('\n')
}

/** Digest of every regular file, and every extended attribute. */
export const contents = (folder: string): string =>
  execFileSync(
    'sh',
    [
      '-c',
      'find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum; find . -print0 | LC_ALL=C sort -z | xargs -0 -r getfattr -h -d -m - -e hex -- 2>/dev/null',
    ],
    { cwd: folder, maxBuffer: 64 << 20 },
  ).toString('latin1')
