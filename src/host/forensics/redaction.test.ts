import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redactionOf } from './redaction.ts'

test('texts have a secret in none of its forms, files not as it is; what is no text is found in files', () => {
  const secret = 'pass word/with+signs'
  const odd = Buffer.from([0xff, 0xfe, 0x01, 0x02, 0x03])
  const redaction = redactionOf([Buffer.from(`${secret}\n`), odd])
  const encoded = Buffer.from(`user:${secret}`).toString('base64')
  const text = redaction.text(`a ${secret} b ${encodeURIComponent(secret)} c ${Buffer.from(secret).toString('base64')} d ${encoded}`)
  assert.match(text, /^a \[secret\] b \[secret\] c \[secret\]=* d /)
  assert.ok(!text.includes(encoded))
  const bytes = Buffer.concat([Buffer.from(`x${secret}`), odd])
  assert.equal(redaction.bytes(bytes), 2)
  assert.equal(bytes.toString('latin1'), `x${'*'.repeat(secret.length + odd.length)}`)
})
