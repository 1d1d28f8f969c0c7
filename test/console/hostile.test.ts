/** What workloads say, on a real kernel: it is shown as text, whatever it is, and a terminal works under the page's policy. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { root } from '../daemon.ts'
import { go, loaded, noBrowser, openConsole, run } from './browser.ts'

const script = `<script>window.ran = 1</script>`
const image = `<img src=x onerror="window.ran = 1">`
const drawing = `<svg onload="window.ran = 1">`

const skip = noBrowser === false ? (process.getuid?.() === 0 ? false : 'needs root') : noBrowser

test('hostile labels, arguments, output and file names are text everywhere, and nothing of them runs', { skip }, async () => {
  await using shown = await openConsole('linux')
  const tar = execFileSync(`${root}/scripts/make-image`, { encoding: 'utf8', cwd: root }).trim()
  await shown.call('POST', '/v1/images/import', { path: tar, name: 'demo' })
  const shell = [
    `echo '${script}${image}'`,
    // Escapes that move, colour, set the title, link, and hide; a direction that is turned round.
    `printf '\\033[2J\\033[31mred${drawing}\\033[0m\\033]0;${script}\\007\\033]8;;javascript:window.ran=1\\007link\\033]8;;\\007 \\342\\200\\256turned\\n'`,
    `cp /bin/busybox '/tmp/${image.replaceAll('/', '')}'; '/tmp/${image.replaceAll('/', '')}' true; sleep 600`,
  ].join('; ')
  const id = await run(shown, {
    ...{ image: 'demo', name: 'hostile', command: ['sh', '-c', shell, script, image], grace: 0, lease: { ttl: 600_000 } },
    labels: { note: `${script}${image}`, 'javascript/x': `javascript:window.ran=1//"'><b>` },
  })
  const { page, faults } = await shown.open('/')
  await page.getByRole('button', { name: /^hostile.*, running/ }).click()
  await page.getByRole('complementary', { name: 'About hostile' }).getByText(`note=${script}${image}`).waitFor()
  for (const tab of ['', '/logs', '/metrics', '/processes', '/network', '/findings', '/admission', '/record']) {
    await go(page, `/environments/${id}${tab}`)
    await loaded(page)
    if (tab === '') await page.getByText(image, { exact: false }).first().waitFor()
    if (tab === '/logs') {
      await page.getByRole('log').getByText(`${script}${image}`, { exact: true }).waitFor()
      await page.getByRole('log').getByText(`red${drawing}`).waitFor()
    }
    assert.equal(await page.evaluate('window.ran'), undefined, tab)
    assert.equal(await page.locator('main script, main [onerror], main [onload], main b, main a[href^="javascript:"]').count(), 0, tab)
  }

  // A shell in it: what is typed arrives, what is printed is drawn, in all colours, and without a style that the policy would have to stop.
  await go(page, `/environments/${id}/terminal`, '.xterm-rows')
  await page.getByText(/# /).first().waitFor()
  await page.keyboard.type(`echo mar''ked; printf '\\033[38;2;1;200;3mcoloured\\033[0m ${image.replaceAll("'", '')}\\033]0;${script}\\007\\n'\n`)
  const rows = page.locator('.xterm-rows')
  await rows.getByText('marked').first().waitFor()
  const coloured = rows
    .locator('span')
    .filter({ hasText: /^coloured$/ })
    .first()
  await coloured.waitFor()
  const colour = `getComputedStyle([...document.querySelectorAll('.xterm-rows span')].find(span => span.textContent === 'coloured')).color`
  assert.equal(await page.evaluate(colour), 'rgb(1, 200, 3)')
  assert.equal(await page.evaluate('window.ran'), undefined)
  await page.keyboard.type('exit 7\n')
  await page.getByText('The shell has ended with exit code 7.').waitFor()
  assert.deepEqual(faults, [])

  // Gone, its record says the same, and nothing of it runs there either.
  await shown.call('DELETE', `/v1/environments/${id}`)
  for (const tab of ['', '/logs', '/processes', '/record']) {
    await go(page, `/environments/${id}${tab}`)
    await loaded(page)
    assert.equal(await page.evaluate('window.ran'), undefined, tab)
  }
  assert.deepEqual(faults, [])
})
