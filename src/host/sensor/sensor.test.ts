/** How a sensor that cannot see says so. What one that can does is in test/system/sensor-*.test.ts. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { openSensor } from './sensor.ts'
import { requireSensor, sensorSupport } from './support.ts'

const nobody = { onEvents: () => assert.fail('nothing was to be seen') }

describe('openSensor', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-sensor-client-'))
  after(() => rmSync(folder, { recursive: true }))

  /** A program that says these lines, and then waits for the end of its input. */
  const saying = (name: string, ...lines: readonly string[]): string => {
    const path = join(folder, name)
    writeFileSync(path, `#!/bin/sh\n${lines.map(line => `echo '${line}'\n`).join('')}cat >/dev/null\n`)
    chmodSync(path, 0o755)
    return path
  }
  const ready = (api: number, schema: number): string =>
    JSON.stringify({ type: 'ready', api, schema, level: 0, kernel: '6.1', probes: ['exec'], missing: [] })

  it('names what to do when there is none', async () => {
    await assert.rejects(openSensor({ binary: join(folder, 'none') }, nobody), { code: 'host', remedy: /make sensor/ })
    assert.equal(sensorSupport(join(folder, 'none')).usable, false)
    assert.throws(() => requireSensor(join(folder, 'none')), { code: 'host' })
  })

  it('refuses one of another version', async () => {
    for (const [api, schema] of [
      [2, 1],
      [1, 2],
    ] as const) {
      await assert.rejects(openSensor({ binary: saying('other', ready(api, schema)) }, nobody), { code: 'host', remedy: /Build it again/ })
    }
  })

  it('tells why the kernel does not let it see', async () => {
    const failed = JSON.stringify({ type: 'failed', reason: 'btf', message: 'no types' })
    await assert.rejects(openSensor({ binary: saying('blind', failed) }, nobody), { code: 'host', message: /no types/, remedy: /BTF/ })
  })

  it('gives up one that is not ready in time, and kills what hears nothing', async () => {
    const path = join(folder, 'deaf')
    const pidFile = join(folder, 'deaf.pid')
    writeFileSync(path, `#!/bin/sh\necho $$ > ${pidFile}\nexec sleep 1000 < /dev/null\n`)
    chmodSync(path, 0o755)
    await assert.rejects(openSensor({ binary: path, readyPatience: 500 }, nobody), { code: 'host', message: /did not see within 500 ms/ })
    assert.throws(() => process.kill(Number(readFileSync(pidFile, 'utf8')), 0), { code: 'ESRCH' })
  })

  it('rejects what is under way when it ends, and what comes after', async () => {
    const path = join(folder, 'short')
    writeFileSync(path, `#!/bin/sh\necho '${ready(1, 1)}'\nread line\nexit 3\n`)
    chmodSync(path, 0o755)
    const sensor = await openSensor({ binary: path }, nobody)
    await assert.rejects(sensor.sync(), { errno: 'EPIPE', message: /sync: dayfly-sensor ended: exit code 3/ })
    await assert.rejects(sensor.sync(), { errno: 'EPIPE' })
    assert.equal((await sensor.closed).errno, 'EPIPE')
    await sensor[Symbol.asyncDispose]()
  })

  it('ends one that sends what cannot be read', async () => {
    const path = join(folder, 'confused')
    writeFileSync(path, `#!/bin/sh\necho '${ready(1, 1)}'\nread line\necho nonsense\ncat >/dev/null\n`)
    chmodSync(path, 0o755)
    const sensor = await openSensor({ binary: path }, nobody)
    await assert.rejects(sensor.sync(), { errno: 'EPROTO' })
    assert.equal((await sensor.closed).errno, 'EPROTO')
    await sensor[Symbol.asyncDispose]()
  })
})
