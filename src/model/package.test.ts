import assert from 'node:assert/strict'
import { test } from 'node:test'
import { upstreamVersion } from './package.ts'

test('what a distribution adds to a version is taken off, and nothing else', () => {
  const versions: readonly (readonly ['deb' | 'rpm' | 'apk' | 'npm', string, string])[] = [
    ['deb', '3.0.11-1~deb12u2', '3.0.11'],
    ['deb', '1:9.2p1-2+deb12u3', '9.2p1'],
    ['deb', '2.36', '2.36'],
    ['deb', '1:1.2.13.dfsg-1', '1.2.13.dfsg'],
    ['deb', '5.2+dfsg2-3', '5.2'],
    ['deb', '1.0-rc-2-1', '1.0-rc-2'],
    ['rpm', '3.0.7-24.el9', '3.0.7'],
    ['rpm', '1:3.0.7-24.el9', '3.0.7'],
    ['apk', '3.1.4-r5', '3.1.4'],
    ['npm', '1.0.0-rc.1', '1.0.0-rc.1'],
    ['deb', '', ''],
    ['deb', '-', '-'],
  ]
  for (const [type, version, expected] of versions) assert.equal(upstreamVersion({ type, version }), expected, version)
})
