/** What was said live is what a replay says, of the daemon's environment and of its bundle; new rules find what old ones did not ask for; profiles learn. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { dayflyProgram } from '../daemon.ts'
import type { Stage } from './sensing/stage.ts'
import { cannotSee, makeStage } from './sensing/stage.ts'

/** A hash that was not known yet when the program began is in what was kept: a replay knows more of it. */
const withoutHash = (output: unknown): string => String(output).replace(/sha256=\S+/, 'sha256=')

describe('what an instance did', { skip: cannotSee }, () => {
  let stage: Stage
  before(async () => {
    stage = await makeStage()
  })
  after(async () => {
    await stage?.[Symbol.asyncDispose]()
  })

  const dayfly = (...words: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise(resolve => {
      const env = { ...process.env, DAYFLY_STATE_DIR: stage.daemon.stateDir, DAYFLY_RUN_DIR: stage.daemon.runDir }
      execFile(dayflyProgram, words, { env, maxBuffer: 64 * 1024 * 1024 }, (error, out, err) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
      })
    })
  const replayed = async (...words: string[]) => {
    const { code, out, err } = await dayfly('rules', 'run', '--json', ...words)
    assert.ok(code === 0 || code === 1, err)
    const found: { rule: string; output: string; event: { pid: number } }[] = out
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line))
    assert.equal(code, found.length > 0 ? 1 : 0)
    return found
  }

  test('is judged in a replay as it was live, also out of a bundle, and by rules that were not there then', async () => {
    const script =
      'cp /bin/busybox /tmp/busybox; /tmp/busybox true; mount -t tmpfs x /mnt; cat /etc/shadow; wget -O /dev/null http://127.0.0.1:1/; true'
    const { environment } = await stage.run(['/bin/sh', '-c', script])
    const live = (await stage.record(environment))
      .filter(({ type }) => type === 'detection.raised')
      .map(({ data }) => ({ rule: data['rule'], output: withoutHash(data['output']) }))
    assert.ok(live.length >= 2, JSON.stringify(live))

    const again = (await replayed('--replay', environment)).map(({ rule, output }) => ({ rule, output: withoutHash(output) }))
    for (const each of live)
      assert.ok(
        again.some(other => other.rule === each.rule && other.output === each.output),
        JSON.stringify({ each, again }),
      )
    assert.deepEqual([...new Set(again.map(({ rule }) => rule))].sort(), [...new Set(live.map(({ rule }) => rule))].sort())

    const bundle = join(stage.folder, 'bundle.tar.zst')
    assert.equal((await dayfly('export', environment, '-o', bundle)).code, 0)
    assert.deepEqual(
      (await replayed('--replay', bundle)).map(({ rule, output }) => ({ rule, output: withoutHash(output) })),
      again,
    )

    const hunt = join(stage.folder, 'hunt.yaml')
    writeFileSync(
      hunt,
      '- rule: hunt\n  desc: d\n  condition: evt.type = execve and proc.args contains "nobody-wrote-this"\n  output: "%proc.cmdline of %container.name"\n  priority: notice\n',
    )
    assert.deepEqual(new Set((await replayed('--alone', hunt, '--replay', bundle)).map(({ rule }) => rule)), new Set())
    writeFileSync(hunt, readFileSync(hunt, 'utf8').replace('"nobody-wrote-this"', '"-c"'))
    assert.deepEqual(
      (await replayed('--alone', hunt, '--replay', bundle)).map(({ output }) => output),
      [`sh -c ${script} of main`],
    )
  })

  test('is learnt over runs, and what is new is told then', async () => {
    const path = join(stage.folder, 'main.json')
    for (let run = 0; run < 2; run++) {
      const { environment } = await stage.run(['/bin/sh', '-c', '/bin/sleep 0.01'])
      const into = run === 0 ? ['--workload', 'main', '--minimum-runs', '2', '-o', path] : ['--into', path]
      const { code, err } = await dayfly('profile', 'learn', environment, ...into)
      assert.equal(code, 0, err)
    }
    const { spec } = JSON.parse(readFileSync(path, 'utf8'))
    assert.equal(spec.runs, 2)
    assert.ok(spec.programs.length > 0)
    const { out } = await dayfly('profile', 'show', path)
    assert.match(out, /main: workloads main\n2 runs: it tells of what is new as warning/)

    const known = await stage.run(['/bin/sh', '-c', '/bin/sleep 0.01'])
    assert.deepEqual(await replayed('--alone', path, '--replay', known.environment), [])
    const strange = await stage.run(['/bin/sh', '-c', 'cp /bin/busybox /tmp/new; /tmp/new true; true'])
    const found = await replayed('--alone', path, '--replay', strange.environment)
    assert.ok(
      found.some(({ rule, output }) => rule === 'Outside of profile main' && output.includes('main runs written:/tmp/new')),
      JSON.stringify(found),
    )
  })

  test('says why it cannot be judged again', async () => {
    const { environment } = await stage.begin('sleep 60')
    const { code, err } = await dayfly('rules', 'run', '--replay', environment)
    assert.notEqual(code, 0)
    assert.match(err, /End it first/)
    await stage.end(environment)
    const file = join(stage.folder, 'no-bundle')
    writeFileSync(file, 'x'.repeat(4096))
    assert.match((await dayfly('rules', 'run', '--replay', file)).err, /bundle/)
    assert.match((await dayfly('rules', 'run')).err, /--replay: is missing/)
  })
})
