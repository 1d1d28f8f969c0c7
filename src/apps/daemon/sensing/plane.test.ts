import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLog } from '../../../base/log.ts'
import { createDetector } from '../../../detect/create.ts'
import { defaultDetectionSettings } from '../../../detect/settings/settings.ts'
import { openActivityStore } from '../../../store/activity/open.ts'
import type { FromSensing } from './messages.ts'
import { createPlane } from './plane.ts'
import { sensorSettingsOf } from './settings.ts'

const subject = {
  ...{ environment: 'e', environmentName: 'shop', instance: 'i', workload: 'web', kind: 'service', image: 'sha256:0', imageName: 'web', owner: 'me' },
  ...{ labels: {}, startedAt: 0, privileged: false, egress: [] },
}

test('what a question for a name gives away is told at once, whatever its case', async context => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-plane-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const said: FromSensing[] = []
  using store = openActivityStore({ path: join(folder, 'activity.sqlite') })
  const settings = sensorSettingsOf(defaultDetectionSettings)
  await using plane = createPlane({
    options: { stateDir: folder, sensor: undefined, absence: 'none', settings, rules: undefined, seenFile: join(folder, 'seen') },
    ...{ early: undefined, store, detector: createDetector({ dayfly: true, files: [] }), log: silentLog(), say: message => void said.push(message) },
  })
  plane.hear({ type: 'introduce', introduction: { subject, secrets: [] } })
  const detected = (name: string): unknown[] => {
    said.length = 0
    plane.hear({ type: 'asked', question: { environment: 'e', instance: 'i', time: Date.now(), port: 4000, name, answers: ['REFUSED'] } })
    return said.flatMap(message =>
      message.type === 'detections' ? message.detections.map(({ detection }) => [detection.rule, detection.event.path]) : [],
    )
  }
  const rule = 'Connection to a mining pool'
  assert.deepEqual(detected('XMR-eu1.NanoPool.ORG'), [[rule, 'xmr-eu1.nanopool.org']])
  assert.deepEqual(detected('nanopool.org.'), [[rule, 'nanopool.org']])
  assert.deepEqual(detected('notnanopool.org'), [])
})
