/** Input that can never work: a message that names the field and the remedy, exit code 2, nothing created. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { doing, openSite, startFake } from '../../../test/cli/fake.ts'

const digest = `sha256:${'0'.repeat(64)}`

/** The words after `dayfly`, what the message says, what the remedy says, and the exit code where it is not 2. */
const table: readonly (readonly [words: readonly string[], message: RegExp, remedy: RegExp, code?: number])[] = [
  [['run', 'nowhere'], /^dayfly: IMAGE: there is no image nowhere$/m, /image/],
  [['run', digest], /IMAGE: there is no image sha256:0/, /image/],
  [['run'], /IMAGE: is missing/, /dayfly run --help/],
  [['run', 'fake', '--', '/no/such/command'], /COMMAND: \/no\/such\/command: no such file in the image/, /^/, 127],
  [['run', '--memory', '1k', 'fake'], /--memory: 1 KiB is too little: at least 4 MiB/, /Ask for 4m or more/],
  [['run', '--memory', 'lots', 'fake'], /--memory: "lots" is not a size/, /like 64k, 512m or 1.5g/],
  [['run', '--memory', '9999g', 'fake'], /--memory: 9.8 TiB is more than this host's/, /Ask for at most/],
  [['run', '--cpus', '0', 'fake'], /--cpus: 0 is too little: at least 0.01/, /0.5/],
  [['run', '--cpus', 'two', 'fake'], /--cpus: "two" is not a number/, /--cpus 2/],
  [['run', '--cpus', '1000', 'fake'], new RegExp(`--cpus: 1000 is more than this host's ${availableParallelism()}`), /Ask for at most/],
  [['run', '--pids', '0', 'fake'], /--pids: 0 is too little: at least 1/, /1 or more/],
  [['run', '--pids', '1.5', 'fake'], /--pids: must be an int/, /^/],
  [['run', '--io', '1', 'fake'], /--io: 1 B is too little: at least 64 KiB/, /64k/],
  [['run', '--ttl', '0s', 'fake'], /--ttl: 0ms is too little: at least 1s/, /1s to 7d/],
  [['run', '--ttl', '365d', 'fake'], /--ttl: 365d is too much: at most 7d/, /1s to 7d/],
  [['run', '--ttl', 'soon', 'fake'], /--ttl: "soon" is not a duration/, /90s, 15m/],
  [['run', '--idle', '500ms', 'fake'], /--idle: 500ms is too little/, /1s/],
  [['run', '--retention', '9999d', 'fake'], /--retention: 9999d is too much: at most 365d/, /365d/],
  [['run', '--name', 'Not A Name', 'fake'], /--name: lower-case letters/, /hyphens/],
  [['run', '--name', 'taken', 'fake'], /--name: an environment named taken lives already/, /dayfly down taken/],
  [['run', '--hostname', 'no_underscore', 'fake'], /--hostname: letters, digits and inner hyphens/, /web\.example\.org/],
  [['run', '--hostname', 'a'.repeat(64), 'fake'], /--hostname: letters/, /at most 64/],
  [['run', '--hostname', `${'a'.repeat(40)}.${'b'.repeat(40)}`, 'fake'], /--hostname: is longer than 64 characters/, /at most 64/],
  [['run', '--label', 'blue', 'fake'], /--label: "blue" is not NAME=VALUE/, /team=blue/],
  [['run', '--env', '=x', 'fake'], /--env: "" is not the name of a variable/, /NAME=VALUE/],
  [['run', '--env-file', '/no/such/file', 'fake'], /--env-file: \/no\/such\/file cannot be read/, /that you may read/],
  [['run', '--secret', 'token', 'fake'], /--secret: the environment has no variable token/, /NAME=cmd:COMMAND/],
  [['run', '--secret', 'token=vault:x', 'fake'], /--secret: token does not say where it comes from/, /file:PATH/],
  [['run', '--secret', 'token=cmd:exit 3', 'fake'], /--secret: the command for token failed with exit code 3/, /standard output/],
  [['run', '--secret', '../x=env:PATH', 'fake'], /--secret: letters, digits/, /^/],
  [['run', '--allow', 'example.com', 'fake'], /--allow: "example.com" is not an IPv4 network/, /192\.0\.2\.0\/24/],
  [['run', '--allow', '10.0.0.1/8', 'fake'], /has address bits beyond its prefix: the network is 10\.0\.0\.0\/8/, /192\.0\.2\.0\/24/],
  [['run', '--allow', '10.0.0.0/8:99999', 'fake'], /port that is not a number from 1 to 65535/, /:443/],
  [['run', '--cap-add', 'SYS_ADMIN', 'fake'], /--cap-add: SYS_ADMIN cannot be granted/, /NET_RAW/],
  [['run', '--runtime', 'runc', 'fake'], /--runtime: "runc" is not one of crun, runsc/, /--runtime crun/],
  [['run', '--pull', 'often', 'fake'], /--pull: "often" is not one of missing, always, never/, /--pull missing/],
  [['run', '--entrypoint', '[1]', 'fake'], /--entrypoint: is not a JSON array of strings/, /\/bin\/sh/],
  [['run', '--entrypoint', '', 'fake'], /COMMAND: fake has no command of its own/, /dayfly run IMAGE -- COMMAND/],
  [['run', '--workdir', 'relative', 'fake'], /--workdir: an absolute path/, /^/],
  [['run', '--user', 'a b', 'fake'], /--user: user, uid, user:group or uid:gid/, /^/],
  [['run', '--stop-signal', 'NOPE', 'fake'], /--stop-signal: a signal by its name/, /^/],
  [['run', '--grace', '1h', 'fake'], /--grace: 1h is too much: at most 10m/, /^/],
  [['run', '--log-limit', '1', 'fake'], /--log-limit: 1 B is too little: at least 1 KiB/, /^/],
  [['run', '--tty', 'fake'], /--tty: standard input and output are not a terminal/, /Leave --tty out/],
  [['run', '--memroy', '1g', 'fake'], /--memroy: there is no such option/, /Did you mean --memory\?/],
  [['run', '--ttl'], /--ttl: a value is missing/, /--ttl DURATION/],
  [['run', '--ttl', '1m', '--ttl', '2m', 'fake'], /--ttl: given twice/, /once/],
  [['run', '--read-only=maybe', 'fake'], /--read-only: "maybe" is not true or false/, /Write --read-only/],
  [['run', '--rm', 'fake'], /--rm: there is no such option/, /Leave it out: nothing is left/],
  [['run', '-p', '80:80', 'fake'], /-p: there is no such option/, /Nothing is published/],
  [['run', '-x', 'fake'], /-x: there is no such option\n {2}`dayfly run --help` lists them/, /^/],
  [['run', 'fake', '--memory', '1g', 'true'], /COMMAND: /, /come before the image: dayfly run --memory … fake/, 127],
  [['images'], /images: there is no such command/, /Did you mean `dayfly image ls`\?/],
  [['pull', 'fake'], /^dayfly: pull: there is no such command/, /Did you mean `dayfly image pull`\?/],
  [['ps', 'name'], /^dayfly: REF: there is no environment "name"/, /dayfly ps --all/],
  [['rnu', 'fake'], /rnu: there is no such command/, /Did you mean `dayfly run`\?/],
  [['image', 'pul', 'x'], /image pul: there is no such command/, /dayfly image pull/],
  [['--jsno', 'ps'], /--jsno: there is no such option/, /Did you mean --json\?/],
  [['version', 'extra'], /"extra" is one argument too many/, /dayfly version --help/],
  [['inspect', 'nothing'], /REF: /, /^/],
  [['inspect', 'e0'], /REF: /, /^/],
  [['logs', 'nothing'], /REF: /, /^/],
  [['logs', '--since', 'whenever', 'taken'], /--since: "whenever" is neither a duration nor a date/, /10m \(ago\)/],
  [['exec', 'taken'], /COMMAND/, /dayfly exec/],
  [['kill', '-s', 'NOPE', 'taken'], /--signal: a signal by its name/, /^/],
  [['extend', 'taken', '30d'], /--ttl: 30d is too much/, /from now/],
  [['down'], /REF: is missing/, /--all/],
  [['down', 'nothing'], /REF: /, /^/],
  [['run', '--detach-keys', 'ctrl-', 'fake'], /--detach-keys: "ctrl-" is not a list of keys/, /ctrl-p,ctrl-q/],
  [['attach'], /REF: is missing/, /dayfly attach --help/],
  [['attach', 'nothing'], /REF: /, /^/],
  [['attach', '--sig-proxy', 'perhaps', 'taken'], /--sig-proxy: "perhaps" is not true or false/, /^/],
  [['completion', 'tcsh'], /SHELL: "tcsh" is not bash, zsh or fish/, /completion bash/],
  [['image', 'inspect', 'nowhere'], /there is no image nowhere/, /image/],
]

describe('bad input', () => {
  let site: Awaited<ReturnType<typeof startFake>>
  before(async () => {
    site = await startFake()
    assert.equal((await site.cli(['run', '-d', '--name', 'taken', 'fake', '--', ...doing({ sleep: 600_000 })])).status, 0)
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
  })

  for (const [words, message, remedy, code] of table) {
    test(`dayfly ${words.join(' ')}`, async () => {
      const { status, stdout, stderr } = await site.cli(words)
      assert.match(stderr, message)
      assert.match(stderr.split('\n').slice(1).join('\n'), remedy)
      assert.equal(status, code ?? 2)
      assert.equal(stdout, '')
    })
  }

  test('a line of an --env-file that is none: file and line are named', async () => {
    const file = join(site.folder, 'bad.env')
    writeFileSync(file, 'GOOD=1\n# fine\nnot a name=2\n')
    const { status, stderr } = await site.cli(['run', '--env-file', file, 'fake'])
    assert.equal(status, 2)
    assert.match(stderr, new RegExp(`--env-file ${file}:3: "not a name" is not the name of a variable`))
  })

  test('with --json the error is a document on standard error', async () => {
    const { status, stderr } = await site.cli(['run', '--json', '--cpus', '0', 'fake'])
    assert.equal(status, 2)
    assert.deepEqual(JSON.parse(stderr), {
      error: { code: 'invalid', message: '--cpus: 0 is too little: at least 0.01', field: '--cpus', remedy: 'Ask for 0.01 cores or more, e.g. 0.5.' },
    })
  })

  test('a --json that belongs to the container is none of ours', async () => {
    const { stderr } = await site.cli(['run', 'nowhere', '--', 'tool', '--json'])
    assert.match(stderr, /^dayfly: IMAGE/)
  })

  test('nothing was created by any of it', async () => {
    const environments = await site.client.environments({ all: true })
    assert.deepEqual(
      environments.filter(({ cause }) => cause !== 'failed').map(({ spec, name }: { spec?: unknown; name: string }) => [spec, name]),
      [[undefined, 'taken']],
    )
    assert.ok(
      environments
        .filter(({ cause }) => cause === 'failed')
        .every(({ state, instances }) => state === 'ended' && instances.every(({ startedAt }) => startedAt === null)),
    )
  })
})

test('without a daemon every command but run says so', async () => {
  await using site = openSite()
  for (const words of [
    ['ps'],
    ['inspect', 'x'],
    ['logs', 'x'],
    ['exec', 'x', 'y'],
    ['attach', 'x'],
    ['wait', 'x'],
    ['stop', 'x'],
    ['kill', 'x'],
    ['extend', 'x', '1h'],
    ['down', 'x'],
    ['events'],
    ['image', 'ls'],
  ]) {
    const { status, stderr } = await site.cli(words)
    assert.match(stderr, new RegExp(`^dayfly: no daemon answers at ${site.runDir}/dayfly.sock\n  Start one with \`dayfly serve\``))
    assert.equal(status, 2)
  }
  const { status, stdout } = await site.cli(['version'])
  assert.deepEqual([status, stdout.split('\n')[1]], [0, 'daemon  none answers'])
})
