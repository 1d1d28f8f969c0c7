import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { resolveUserIn } from './user.ts'

const passwd =
  'root:x:0:0:root:/root:/bin/sh\n# comment\nweb:x:101:102::/srv:/bin/sh\n1000:x:7:8::/odd:\nbroken\nhuge:x:99999999999:1::/:\nweb:x:5:5::/second:\n'
const group = 'root:x:0:\nweb:x:102:web\nlogs:x:200:other,web\naudio:x:29:web,web\nbroken:x:z:web\n'
const resolve = (user: string) => resolveUserIn(passwd, group, user)

describe('users of an image', () => {
  it('are looked up as docker does', () => {
    assert.deepEqual(resolve(''), { uid: 0, gid: 0, additionalGids: [], home: '/root' })
    assert.deepEqual(resolve('web'), { uid: 101, gid: 102, additionalGids: [29, 200], home: '/srv' })
    assert.deepEqual(resolve('101'), resolve('web'))
    assert.deepEqual(resolve('web:logs'), { uid: 101, gid: 200, additionalGids: [], home: '/srv' })
    assert.deepEqual(resolve('web:55'), { uid: 101, gid: 55, additionalGids: [], home: '/srv' })
    assert.deepEqual(resolve('4242:17'), { uid: 4242, gid: 17, additionalGids: [], home: '/' })
    assert.deepEqual(resolve('1000'), { uid: 7, gid: 8, additionalGids: [], home: '/odd' }, 'a name that is all digits')
    assert.deepEqual(resolve(':29'), { uid: 0, gid: 29, additionalGids: [], home: '/root' })
    assert.deepEqual(resolveUserIn('', '', '5'), { uid: 5, gid: 0, additionalGids: [], home: '/' })
  })

  it('get the further groups that are asked for', () => {
    assert.deepEqual(resolveUserIn(passwd, group, 'web', ['web', 'audio', '4000']).additionalGids, [29, 200, 4000])
    assert.deepEqual(resolveUserIn(passwd, group, '7:8', ['logs', '8']).additionalGids, [200])
    assert.throws(() => resolveUserIn(passwd, group, 'web', ['nogroup']), { code: 'invalid', field: 'groups' })
  })

  it('are refused when the image does not know them', () => {
    for (const user of ['nobody', 'huge', 'web:nogroup', 'web:broken', '2147483648', '99999999999', '-1', '1.5', 'a:b:c', 'web:', 'web ']) {
      assert.throws(() => resolve(user), { code: 'invalid', field: '--user' }, user)
    }
  })
})
