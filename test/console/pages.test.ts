/** The console in Debian's Chromium, in front of a real daemon whose kernel is in memory. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import type { Console, Visit } from './browser.ts'
import { accessibilityFaults, go, loaded, noBrowser, openConsole, run } from './browser.ts'

const sleeper = (name: string) => ({
  image: 'fake',
  name,
  command: ['fake', '[{"print":"begun\\n"},{"sleep":600000}]'],
  lease: { ttl: 600_000 },
  grace: 0,
})

let shown: Console
before(async () => {
  if (noBrowser === false) shown = await openConsole('fake')
})
after(async () => {
  if (noBrowser === false) await shown[Symbol.asyncDispose]()
})

const closing = async (visit: Visit, work: (visit: Visit) => Promise<void>): Promise<void> => {
  try {
    await work(visit).catch(async (error: unknown) => {
      const seen = await visit.page.locator('body').innerText()
      throw new Error(`at ${visit.page.url()}, which says: ${seen.slice(0, 2000)}\n${visit.faults.join('\n')}`, { cause: error })
    })
    assert.deepEqual(visit.faults, [])
  } finally {
    await visit.page.context().close()
  }
}

test('who is not signed in sees how to, and nothing else; a code signs in once', { skip: noBrowser }, async () => {
  await closing(await shown.visit(), async ({ page }) => {
    await go(page, '/environments')
    await page.getByRole('heading', { name: 'Sign in to Dayfly' }).waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    await page.getByLabel('One-time code, or token').fill('wrong')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').waitFor()

    const { code } = z.object({ code: z.string() }).parse(await shown.call('POST', '/v1/session/code'))
    await page.goto(`/#code=${code}`)
    await page.getByRole('navigation', { name: 'Pages' }).waitFor()
    assert.equal(new URL(page.url()).hash, '', 'the code is not left in the address')
    const [cookie] = await page.context().cookies()
    assert.equal(cookie?.httpOnly && cookie.secure && cookie.sameSite === 'Strict', true)
    assert.equal(await page.evaluate('document.cookie'), '')

    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in to Dayfly' }).waitFor()
    assert.deepEqual(await page.context().cookies(), [])
    // The session is over for whoever has kept its cookie, too.
    assert.ok(cookie)
    await page.context().addCookies([cookie])
    await go(page, '/environments')
    await page.getByRole('heading', { name: 'Sign in to Dayfly' }).waitFor()
  })
})

test('first steps lead from nothing to a sealed record', { skip: noBrowser }, async () => {
  await closing(await shown.open('/'), async ({ page }) => {
    await page.getByRole('heading', { name: 'Run something' }).waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    const id = await run(shown, sleeper('first'))
    // Nobody has loaded the page anew: the record tells it.
    await page.getByRole('button', { name: /^first.*, running/ }).click()
    const about = page.getByRole('complementary', { name: 'About first' })
    await about.getByText('dayfly inspect first').waitFor()

    await about.getByRole('button', { name: 'Extend', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('dayfly extend first 1h').waitFor()
    await dialog.getByLabel('4h').check()
    await dialog.getByText('dayfly extend first 4h').waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    await dialog.getByRole('button', { name: 'Extend', exact: true }).click()
    await dialog.waitFor({ state: 'detached' })
    await about.getByText(/^3h59m/).waitFor()

    await about.getByRole('link', { name: 'Open' }).click()
    await page.getByRole('link', { name: 'Logs' }).click()
    await page.getByRole('log').getByText('begun').waitFor()

    // With the keyboard alone, and Escape first.
    await page.getByRole('button', { name: 'End', exact: true }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').getByText('dayfly down first').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'End')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'End it' }).click()
    await page.getByText('requested').first().waitFor()

    await page.getByRole('link', { name: 'Record' }).click()
    await page.getByText('sealed', { exact: true }).first().waitFor()
    await page.getByRole('button', { name: 'Verify', exact: true }).click()
    await page.getByText('Nothing was removed or changed.').waitFor()
    const [report] = await Promise.all([page.context().waitForEvent('page'), page.getByRole('link', { name: 'Report', exact: true }).click()])
    await report.getByRole('heading', { level: 1, name: 'first' }).waitFor()
    assert.match(await report.locator('#seal').innerText(), /sealed/i)
    assert.deepEqual(await accessibilityFaults(report), [])
    await report.close()
    await go(page, '/start')
    await page.getByText(`dayfly verify ${id}`).waitFor()
  })
})

const tabs = ['', '/logs', '/metrics', '/processes', '/network', '/findings', '/admission', '/record'] as const

for (const [name, options] of [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['phone', { colorScheme: 'light', viewport: { width: 390, height: 800 }, hasTouch: true }],
] as const) {
  test(`every page is accessible by WCAG 2.2 AA and fits the screen: ${name}`, { skip: noBrowser }, async () => {
    const living = await run(shown, sleeper(`living-${name}`))
    const ended = await run(shown, { image: 'fake', command: ['fake', '[{"exit":3}]'] })
    await closing(await shown.open('/', options), async ({ page }) => {
      for (const path of [
        ...[
          '/',
          `/?selected=${living}`,
          '/?view=table',
          '/environments',
          '/environments?search=nothing-is-called-so',
          '/start',
          '/environments/a/b/c',
        ],
        ...tabs.flatMap(tab => [`/environments/${living}${tab}`, `/environments/${ended}${tab}`]),
      ]) {
        await go(page, path)
        await loaded(page)
        assert.deepEqual(await accessibilityFaults(page), [], path)
        const over = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
        assert.equal(over, 0, `${path} is wider than the screen`)
      }
    })
    await shown.call('DELETE', `/v1/environments/${living}`)
  })
}

test('the keyboard reaches everything: skip link, search, lanes', { skip: noBrowser }, async () => {
  const ids = [await run(shown, sleeper('lane-a')), await run(shown, sleeper('lane-b'))]
  await closing(await shown.open('/?show=living'), async ({ page }) => {
    await page.getByRole('button', { name: /^lane-b.*, running/ }).waitFor()
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Skip to the page')
    await page.keyboard.press('Enter')
    assert.equal(await page.evaluate('document.activeElement.id'), 'main')
    await page.keyboard.press('/')
    await page.keyboard.type('lane')
    await page.getByRole('button', { name: /^lane-a/ }).waitFor()
    assert.equal(new URL(page.url()).searchParams.get('search'), 'lane')
    await page.getByRole('button', { name: /^lane-b/ }).focus()
    await page.keyboard.press('ArrowDown')
    await page.waitForFunction('document.activeElement.textContent.startsWith("lane-a")')
    await page.keyboard.press('Enter')
    await page.getByRole('complementary', { name: 'About lane-a' }).waitFor()
  })
  for (const id of ids) await shown.call('DELETE', `/v1/environments/${id}`)
})

test('who may only look has no buttons that would fail, and is told where the role ends', { skip: noBrowser }, async () => {
  const id = await run(shown, sleeper('looked-at'))
  const { token } = z
    .object({ token: z.string() })
    .parse(await shown.call('POST', '/v1/tokens', { name: 'looker', role: 'viewer', teams: ['default'] }))
  await closing(await shown.visit(), async ({ page }) => {
    await go(page, `/environments/${id}`)
    await page.getByLabel('One-time code, or token').fill(token)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'looked-at' }).waitFor()
    for (const name of ['Extend', 'Pause', 'End']) assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0)
    assert.equal(await page.getByRole('link', { name: 'Terminal' }).count(), 0)
    await go(page, '/host')
    await page
      .getByText(/Your role does not let you see/)
      .first()
      .waitFor()
  })
  await shown.call('DELETE', `/v1/environments/${id}`)
})

test('when the daemon goes away it is said, and what is shown stays', { skip: noBrowser }, async () => {
  const away = await openConsole('fake')
  try {
    await run(away, sleeper('stays'))
    const { page } = await away.open('/')
    await page.getByRole('button', { name: /^stays.*, running/ }).waitFor()
    await page.getByText('Live', { exact: true }).first().waitFor()
    await away.daemon.kill()
    await page.getByText('Not connected').waitFor()
    assert.equal(await page.getByRole('button', { name: /^stays.*, running/ }).count(), 1)
  } finally {
    await away[Symbol.asyncDispose]()
  }
})
