import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Door } from '../../../../test/access.ts'
import { openDoor } from '../../../../test/access.ts'
import { authorization } from '../../../api/authorization.ts'
import { routeKey } from '../../../api/route.ts'
import { apiRoutes } from '../../../api/routes/all.ts'
import { Role, teamRoles } from '../../../model/principal.ts'

let door: Door
before(async () => {
  door = await openDoor()
})
after(async () => await door[Symbol.asyncDispose]())

/** What no route takes: whoever is let in is told so, or that there is no such thing; nothing is done. */
const wrong = { body: { 'not a field': true }, ref: 'nothing-there' }

const pathOf = (key: string): string => (key.split(' ')[1] ?? '').replaceAll(/:\w+/g, wrong.ref)

const isRefusal = (body: string): boolean => body.includes('is not for the role')

for (const role of Role.options) {
  test(`${role}: every route answers as the matrix says`, async () => {
    const token = door.token(role, ...(teamRoles.includes(role) ? ['blue'] : []))
    for (const [key, { roles, reach }] of Object.entries(authorization)) {
      const [method = ''] = key.split(' ')
      const { status, body } = await door.ask(method, pathOf(key), {
        token,
        body: method === 'POST' ? wrong.body : undefined,
        headOnly: roles.includes(role),
      })
      if (reach === 'open') continue
      if (roles.includes(role)) assert.ok(status !== 401 && status !== 403 && status < 500, `${key} by ${role}: ${status}`)
      else assert.deepEqual([status, isRefusal(body)], [403, true], `${key} by ${role}: ${status} ${body}`)
    }
  })
}

test('nobody is let in without credentials but where they are given', async () => {
  for (const [key, { reach }] of Object.entries(authorization)) {
    const [method = ''] = key.split(' ')
    const { status, headers } = await door.ask(method, pathOf(key), { body: method === 'POST' ? wrong.body : undefined })
    if (reach === 'open') assert.equal(status, 400, key)
    else assert.deepEqual([status, headers['www-authenticate']], [401, 'Bearer realm="dayfly"'], key)
  }
})

test('the matrix and the routes are the same', () => {
  const routes = apiRoutes(door.services, 'test').map(routeKey)
  assert.deepEqual(routes.toSorted(), Object.keys(authorization).toSorted())
})
