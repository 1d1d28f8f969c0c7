import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { spawnHelper } from '../../src/host/native/helper.ts'
import { compileSeccomp } from '../../src/host/seccomp/compile.ts'
import { defaultProfile } from '../../src/host/seccomp/profile.ts'
import type { Result } from './seccomp/container.ts'
import { runInContainer } from './seccomp/container.ts'

const binary = join(import.meta.dirname, '../../native/build/dayfly-helper')
const skip =
  process.getuid?.() !== 0
    ? 'needs root'
    : process.arch !== 'x64'
      ? 'its attempts are written with the numbers of x86_64'
      : !existsSync(binary)
        ? 'native/build/dayfly-helper is not built: make -C native'
        : !existsSync('/usr/bin/crun') || !existsSync('/usr/bin/python3')
          ? 'needs crun and python3: apt-get install crun python3'
          : false

/** What each attempt ends with under the profile; with these capabilities and no filter none of them ends so. */
const refusals: Readonly<Record<string, string>> = {
  'unshare user namespace': 'EPERM',
  'unshare time namespace': 'EPERM',
  'clone with a network namespace': 'EPERM',
  clone3: 'ENOSYS',
  mount: 'EPERM',
  fsopen: 'EPERM',
  setns: 'EPERM',
  bpf: 'EPERM',
  keyctl: 'EPERM',
  add_key: 'EPERM',
  perf_event_open: 'EPERM',
  userfaultfd: 'EPERM',
  io_uring_setup: 'ENOSYS',
  open_by_handle_at: 'EPERM',
  sethostname: 'EPERM',
  AF_ALG: 'EAFNOSUPPORT',
  AF_PACKET: 'EAFNOSUPPORT',
  AF_VSOCK: 'EAFNOSUPPORT',
  'AF_INET by its low half': 'EAFNOSUPPORT',
  audit: 'EPROTONOSUPPORT',
  'socketcall by a 32-bit call': 'EAFNOSUPPORT',
  TIOCSTI: 'EPERM',
  'TIOCSTI with rubbish above': 'EPERM',
  TIOCSETD: 'EPERM',
  'personality without randomisation': 'ENOSYS',
  'a call of the future': 'ENOSYS',
}
const allowances = ['unshare files', 'AF_INET', 'AF_UNIX', 'netlink', 'terminal size', 'personality', 'fork', 'memfd']

describe('the default seccomp profile in a container', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-seccomp-'))
  let filter = ''
  before(async () => {
    await using helper = await spawnHelper({ binary })
    filter = await compileSeccomp(defaultProfile, { library: helper.libraries.join(), compile: source => helper.compileSeccomp(source) }, folder)
  })
  after(() => rmSync(folder, { recursive: true }))

  const attempts = async (under: string | undefined): Promise<Record<string, unknown>> => {
    const result = await runInContainer(['python3', '/opt/node/attempts.py'], under, { '/opt/node': join(import.meta.dirname, 'seccomp') })
    assert.equal(result.code, 0, result.stderr)
    const parsed: unknown = JSON.parse(result.stdout)
    assert.ok(typeof parsed === 'object' && parsed !== null)
    return { ...parsed }
  }

  it('refuses what leads out, and allows what programs need', async () => {
    const outcome = await attempts(filter)
    assert.deepEqual(outcome, { ...refusals, ...Object.fromEntries(allowances.map(name => [name, 'ok'])) })
  })

  it('is what refuses: without it the same attempts get further', async t => {
    const outcome = await attempts(undefined)
    const refusedAnyway = Object.keys(refusals).filter(name => outcome[name] === refusals[name])
    // A kernel may be built without some of these; the walls that matter most must be the filter's.
    if (refusedAnyway.length > 0) t.diagnostic(`this kernel refuses by itself: ${refusedAnyway.join(', ')}`)
    for (const name of [
      'unshare user namespace',
      'clone with a network namespace',
      'clone3',
      'mount',
      'setns',
      'keyctl',
      'TIOCSETD',
      'sethostname',
      'AF_PACKET',
    ]) {
      assert.equal(outcome[name], 'ok', name)
    }
  })

  const works = (name: string, command: readonly string[], expected: RegExp, binds: Readonly<Record<string, string>> = {}): void => {
    it(`lets ${name} work`, async () => {
      const result: Result = await runInContainer(command, filter, binds)
      assert.equal(result.code, 0, result.stderr)
      assert.match(result.stdout, expected)
    })
  }
  const node = { '/opt/node': dirname(process.execPath) }
  const script = `
    const { Worker } = require('node:worker_threads'), fs = require('node:fs'), http = require('node:http')
    fs.writeFileSync('/tmp/x', 'y'.repeat(100000))
    new Worker('require("node:worker_threads").parentPort.postMessage(require("node:crypto").pbkdf2Sync("a", "b", 1000, 8, "sha256").length)', { eval: true })
      .on('message', length => {
        const server = http.createServer((_, answer) => answer.end('served'))
        server.listen('/tmp/s', () => http.get({ socketPath: '/tmp/s' }, reply => reply.on('data', data => {
          console.log(String(data), length, fs.readFileSync('/tmp/x').length, require('node:child_process').execSync('echo child').toString().trim())
          server.close()
        })))
      })`
  works('node with threads, files, sockets and children', ['node', '-e', script], /^served 8 100000 child$/m, node)
  works(
    'python with processes and threads',
    [
      'python3',
      '-c',
      'import concurrent.futures as c, subprocess; print(sum(c.ThreadPoolExecutor(4).map(lambda n: n * n, range(10))), subprocess.check_output(["echo", "child"]))',
    ],
    /285 b'child\\n'/,
  )
  works('apt-get', ['apt-get', '--version'], /^apt \d/)
  works('a pipeline of the shell', ['sh', '-c', 'seq 1000 | grep 7 | sort -rn | head -1 > /tmp/out && cat /tmp/out & wait'], /^997$/m)
  works('busybox', ['busybox', 'sh', '-c', 'seq 3 | tac | tr "\\n" " "; stat -c %a /tmp; ps | wc -l; date +%Y'], /^3 2 1 /)
})
