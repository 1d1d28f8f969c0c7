/** An environment of its own for this file: up before its tests, gone after them. */
import { useEnvironment } from 'dayfly/vitest'
import { expect, test } from 'vitest'

const environment = useEnvironment('compose.yaml')

test('the service answers', async () => {
  const { stdout } = await environment.service('store').commands.run('wget -q -O - http://127.0.0.1/hostname')
  expect(stdout.trim()).not.toBe('')
})

test('its files can be prepared', async () => {
  const { files } = environment.service('store')
  await files.write('/tmp/fixture', 'prepared')
  expect(await files.read('/tmp/fixture')).toBe('prepared')
})
