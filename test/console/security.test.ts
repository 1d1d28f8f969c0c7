/** Security, Host and Cost in Debian's Chromium, in front of a real daemon whose kernel is in memory. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Console, Visit } from './browser.ts'
import { accessibilityFaults, noBrowser, openConsole, run } from './browser.ts'

/** Says in the window's title that it has run, should anything take it for more than text. */
const hostile = '<img src=x onerror="document.title=`owned`"><script>document.title=`owned`</script>'

const sleeper = (name: string) => ({
  ...{ image: 'fake', name, labels: { note: hostile }, env: { NOTE: hostile }, lease: { ttl: 600_000 } },
  command: ['fake', JSON.stringify([{ print: `${hostile}\n` }, { sleep: 600_000 }])],
})
const phone = { viewport: { width: 390, height: 800 }, colorScheme: 'dark' } as const

const policies = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: no-hostile }
spec:
  matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }] }
  validations:
  - expression: "!object.metadata.namespace.startsWith('denied')"
    message: ${JSON.stringify(hostile)}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: no-hostile }
spec: { policyName: no-hostile, validationActions: [Deny] }
---
apiVersion: dayfly.dev/v1
kind: Exemption
metadata: { name: old-base }
spec:
  policies: [images]
  match: { images: ['*'] }
  owner: security@example.com
  reason: ${JSON.stringify(hostile)}
  until: ${new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10)}
`

let shown: Console
before(async () => {
  if (noBrowser !== false) return
  shown = await openConsole('fake')
  const folder = join(shown.daemon.stateDir, 'policies')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'own.yaml'), policies)
  await run(shown, sleeper('shop'))
  const short = await run(shown, sleeper('over'))
  await shown.call('DELETE', `/v1/environments/${short}`)
  // The folder is looked at every two seconds, and twice until it is in force.
  for (let tries = 0; ; tries++) {
    const denied = await run(shown, { ...sleeper(`denied-${tries}`) }).then(
      id => shown.call('DELETE', `/v1/environments/${id}`).then(() => false),
      () => true,
    )
    if (denied) break
    assert.ok(tries < 200, 'the policy never came into force')
    await new Promise(resolve => setTimeout(resolve, 500))
  }
})
after(async () => {
  if (noBrowser === false) await shown[Symbol.asyncDispose]()
})

/** Nothing was stopped by the page's policy or went wrong in it, nothing that came from workloads ran, and axe finds nothing. */
const looking = async (path: string, options: Parameters<Console['open']>[1], work: (page: Visit['page']) => Promise<void>): Promise<void> => {
  const { page, faults } = await shown.open(path, options)
  try {
    await work(page).catch(async (error: unknown) => {
      const seen = await page.locator('body').innerText()
      throw new Error(`at ${page.url()}, which says: ${seen.slice(0, 2000)}\n${faults.join('\n')}`, { cause: error })
    })
    assert.deepEqual(await accessibilityFaults(page), [])
    assert.match(await page.title(), /· Dayfly$/)
    assert.deepEqual(faults, [])
    assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true, `${path} is wider than the screen`)
  } finally {
    await page.context().close()
  }
}

test('findings are listed by risk, narrowed by the address, and told with their places', { skip: noBrowser }, async () => {
  await looking('/security', {}, async page => {
    const row = page.getByRole('row', { name: /no-hostile\/validations/ })
    await row.waitFor()
    assert.equal(await page.locator('img[src="x"]').count(), 0)
    await page.getByLabel('Kind').selectOption('secret')
    await page.getByText('Nothing fits.').waitFor()
    assert.equal(new URL(page.url()).searchParams.get('kind'), 'secret')
    await page.getByText('dayfly findings --kind secret').first().waitFor()
    await page.getByRole('button', { name: 'Show all findings' }).click()
    await row.press('Enter')
    const dialog = page.getByRole('dialog', { name: /no-hostile/ })
    await dialog.getByText(hostile).waitFor()
    await dialog
      .getByRole('link', { name: /^denied-/ })
      .first()
      .waitFor()
  })
})

test('what has not been detected is said, and why there may be nothing', { skip: noBrowser }, async () => {
  await looking('/security/detections', {}, async page => await page.getByText('Nothing has been detected.').waitFor())
  await looking('/security/detections/4711', {}, async page => await page.getByText('There is a problem with the detection.').waitFor())
})

test('an image that ran leads to where it ran, and is blocked with a reason', { skip: noBrowser }, async () => {
  await looking('/security/images', {}, async page => {
    await page.getByRole('row', { name: /fake/ }).first().click()
    await page.getByRole('table', { name: 'Where it ran' }).getByText('shop').waitFor()
    await page.getByRole('button', { name: 'Block…' }).click()
    await page.getByLabel(/^Why/).fill(hostile)
    await page.getByRole('button', { name: 'Block', exact: true }).click()
    await page.getByRole('button', { name: 'Admit it again' }).click()
    await page.getByRole('button', { name: 'Block…' }).waitFor()
  })
})

test('policies, rules and exemptions say where they are from and when they end', { skip: noBrowser }, async () => {
  await looking('/security/rules', {}, async page => {
    await page.getByRole('row', { name: /no-hostile.*own\.yaml/ }).click()
    await page.getByRole('dialog', { name: 'no-hostile' }).getByText(hostile).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('searchbox', { name: 'Search rules' }).fill('Dropped binary')
    await page
      .getByRole('row', { name: /Dropped binary/ })
      .first()
      .waitFor()
  })
  await looking('/security/exemptions', {}, async page => {
    await page.getByText(hostile).waitFor()
    await page.getByText(/day[s]? left|ends today/).waitFor()
  })
})

test('the playground judges what is typed, says what is wrong with it, and keeps nothing', { skip: noBrowser }, async () => {
  await looking('/security/playground', {}, async page => {
    await page.getByText('denied', { exact: true }).waitFor()
    const field = page.getByLabel('A CEL expression, or documents of a policy file')
    await field.fill("object.metadata.name == 'web'")
    await page.getByText('Nothing has anything against it.').waitFor()
    await field.fill('object.metadata.name ==')
    await page
      .getByRole('alert')
      .getByText(/spec\.validations\[0\]\.expression/)
      .waitFor()
  })
  await looking('/security/playground?of=rule', {}, async page => {
    await page.getByText('a download is told', { exact: true }).waitFor()
    await page.getByText('ok', { exact: true }).first().waitFor()
    await page.getByLabel('What it is to judge').selectOption({ label: 'what shop did (running)' })
    await page.getByText('0 matches').waitFor()
    await page.getByLabel("In the language of Falco's rules").fill('- rule: x')
    await page.getByRole('alert').waitFor()
  })
})

test('the host says what it has, what is promised, and where it is known from', { skip: noBrowser }, async () => {
  await looking('/host', {}, async page => {
    await page.getByRole('heading', { name: 'Memory' }).waitFor()
    await page
      .getByText(/are promised/)
      .first()
      .waitFor()
  })
  await looking('/host/checks', {}, async page => await page.getByRole('heading', { name: 'Left behind' }).waitFor())
  await looking('/host/inventory', {}, async page => {
    await page.getByText(/^Told by/).waitFor()
    await page.getByRole('table', { name: 'Users' }).getByText('root', { exact: true }).first().waitFor()
  })
})

test('cost is summed up by what is chosen', { skip: noBrowser }, async () => {
  await looking('/cost', {}, async page => {
    await page.getByRole('button', { name: 'Image' }).click()
    await page.getByText('dayfly cost --by image --since 30d').waitFor()
    await page.getByRole('button', { name: 'Label' }).click()
    await page.getByText('Name a label.').waitFor()
  })
})

test('all of it fits on a phone, in the dark', { skip: noBrowser }, async () => {
  for (const [path, seen] of [
    ['/security', 'no-hostile/validations[0]'],
    ['/security/images', '1 image that ran'],
    ['/security/rules', 'Rules: what running things may do'],
    ['/security/playground', 'Verdict'],
    ['/security/exemptions', 'old-base'],
    ['/host', 'Memory'],
    ['/host/inventory', 'Listeners'],
    ['/cost', 'By whom and what'],
  ] as const)
    await looking(path, phone, async page => await page.getByText(seen).first().waitFor())
})

test('who may not see the host is told so, and is not shown what would fail', { skip: noBrowser }, async () => {
  const token: unknown = await shown.call('POST', '/v1/tokens', { name: 'viewer', role: 'viewer', teams: ['default'] })
  const secret = typeof token === 'object' && token !== null && 'token' in token ? String(token.token) : ''
  const { page, faults } = await shown.visit()
  try {
    await page.goto('/host')
    await page.getByLabel('One-time code, or token').fill(secret)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('Your role does not let you see the host.').waitFor()
    await page.goto('/security')
    await page.getByRole('link', { name: 'Findings' }).waitFor()
    assert.equal(await page.getByRole('link', { name: 'Policies and rules' }).count(), 0)
    assert.deepEqual(await accessibilityFaults(page), [])
    assert.deepEqual(faults, [])
  } finally {
    await page.context().close()
  }
})
