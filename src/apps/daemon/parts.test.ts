import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { exampleEnvironment, exampleInstance, exampleOrigin } from '../../engine/store.suite.ts'
import { openStore } from '../../store/sqlite.ts'
import { imagesInUse } from './parts.ts'

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`

test('images are in use as long as an instance of theirs is there, also when its workload is of another one by now', () => {
  using store = openStore({ path: ':memory:', clock: systemClock() })
  const environment = exampleEnvironment('shop')
  store.putEnvironment(environment)
  const of = (letter: string) => ({ origin: { ...exampleOrigin(1, 512), image: digest(letter) } })
  store.putInstance(exampleInstance(environment.id, { state: 'running', ...of('b') }))
  store.putInstance(exampleInstance(environment.id, { state: 'exited', wish: 'retired', ...of('c') }))
  store.putInstance(exampleInstance(environment.id, { state: 'removed', ...of('d') }))
  const ended = exampleEnvironment('gone', { state: 'ended', endedAt: 1 })
  store.putEnvironment(ended)
  store.putInstance(exampleInstance(ended.id, { state: 'running', ...of('e') }))
  assert.deepEqual([...imagesInUse(store, [])].toSorted(), [digest('a'), digest('b'), digest('c')])
  const { spec } = exampleEnvironment('waits in line')
  const [main] = Object.values(spec.workloads)
  assert.ok(main)
  const asked = { ...spec, workloads: { main: { ...main, image: digest('f') } } }
  assert.deepEqual([...imagesInUse(store, [asked])].toSorted(), [digest('a'), digest('b'), digest('c'), digest('f')])
})
