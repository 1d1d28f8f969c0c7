/** What the settings forbid, in an instance of a daemon, and what is written of it. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { KernelEvent } from '../../src/model/kernel-event.ts'
import type { Stage } from './sensing/stage.ts'
import { cannotSee, kernelEvents, makeStage, until } from './sensing/stage.ts'

const script = (path: string): string => `printf '#!/bin/sh\\necho it runs\\n' > ${path}; chmod +x ${path}; ${path}; exit 0`

describe('settings of the sensor', { skip: cannotSee }, () => {
  let stage: Stage
  let missing: string | undefined
  before(async () => {
    stage = await makeStage()
    await stage.attached()
    missing = (await stage.daemon.client.doctor()).find(({ name }) => name === 'sensor')?.found
    mkdirSync(join(stage.daemon.stateDir, 'policies'), { recursive: true })
  })
  after(async () => {
    await stage[Symbol.asyncDispose]()
  })

  const set = (sensor: string): void =>
    writeFileSync(
      join(stage.daemon.stateDir, 'policies/detection.yaml'),
      `apiVersion: dayfly.dev/v1\nkind: DetectionSettings\nspec: { mode: audit, sensor: ${sensor} }\n`,
    )
  const events = async (command: string): Promise<KernelEvent[]> => {
    const { environment } = await stage.run(['/bin/sh', '-c', command])
    return kernelEvents(stage.activity(environment))
  }
  const has = (told: readonly KernelEvent[], type: KernelEvent['type'], flag: 'denied' | 'would_deny'): boolean =>
    told.some(event => event.type === type && event.flags?.includes(flag) === true)

  for (const path of ['/tmp/dropped', '/root-file']) {
    test(`a script at ${path}: audited, it is told of; enforced, it does not run`, async t => {
      if (missing?.includes('open_exec') === true) return t.skip(missing)
      set('{ scripts: audit }')
      await until('it is audited', async () => has(await events(script(path)), 'exec', 'would_deny'))
      set('{ scripts: enforce }')
      await until('it is refused', async () => has(await events(script(path)), 'open', 'denied'))
      const told = await events(script(path))
      const refused = told.filter(event => event.type === 'open' && event.flags?.includes('denied') === true)
      assert.deepEqual(
        refused.map(event => [event.path, event.syscall, event.result]),
        [[path, 'execve', -1]],
      )
      assert.ok(!told.some(event => event.type === 'exec' && event.args?.includes(path) === true), 'no interpreter was started for it')
    })
  }

  test('listeners: enforced, nobody listens where others reach it', async t => {
    if (missing?.includes('deny_bind4') === true) return t.skip(missing)
    set('{ listeners: enforce }')
    await until('it is refused', async () => has(await events('timeout 1 nc -l -p 8080; exit 0'), 'bind', 'denied'))
    const told = await events('timeout 1 nc -l -p 8080; exit 0')
    assert.deepEqual(
      told.filter(({ type }) => type === 'bind').map(event => [event.socket?.localPort, event.result, event.flags?.includes('denied')]),
      [[8080, -1, true]],
    )
    assert.ok(!told.some(({ type }) => type === 'listen'))
  })
})
