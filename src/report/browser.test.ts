/** In a real browser: what comes from outside does not run as script, with the page's own policy and without it. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { exampleReport } from '../../test/report/example.ts'
import { reportHtml } from './page.ts'

const skip = spawnSync('chromium', ['--version']).status === 0 ? false : 'there is no chromium: apt-get install chromium'
const folder = mkdtempSync(join(tmpdir(), 'dayfly-report-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** The document as it is once everything in it has run. */
const domOf = (page: string): string => {
  const file = join(folder, 'page.html')
  writeFileSync(file, page)
  const options = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    `--user-data-dir=${join(folder, 'profile')}`,
    '--virtual-time-budget=2000',
    '--dump-dom',
  ]
  return execFileSync('chromium', [...options, `file://${file}`], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 26,
    timeout: 120_000,
  })
}

const run = "document.documentElement.setAttribute('data-ran','yes')"
const hostile = [
  `<script>${run}</script>`,
  `"><img src=x onerror="${run}">`,
  `'><svg onload="${run}">`,
  `" onmouseover="${run}" autofocus onfocus="${run}" x="`,
  `</title></style></textarea></svg></code><script>${run}</script>`,
  `--><script>${run}</script>`,
  `<iframe srcdoc="<script>parent.${run}</script>">`,
  `javascript:${run}`,
  `<details open ontoggle="${run}">`,
  `\u0000<\u0000script>${run}</script>`,
]
const withoutPolicy = (page: string): string => page.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '')

describe('in a browser', { skip }, () => {
  test('a script that is none of the page’s would be noticed: the check works', () => {
    assert.match(domOf(`<!doctype html><title>x</title><img src=x onerror="${run}">`), /data-ran="yes"/)
    assert.match(domOf(withoutPolicy(reportHtml(exampleReport())).replace('<main', `<script>${run}</script><main`)), /data-ran="yes"/)
    assert.doesNotMatch(
      domOf(reportHtml(exampleReport()).replace('<main', `<script>${run}</script><main`)),
      /data-ran="yes"/,
      'the policy alone keeps it from running',
    )
  })

  test('no text that a workload, an image or a user chose runs, nor adds an element', () => {
    // Each place gets another one: all of them in three pages, with the policy and without.
    for (const turn of [0, 3, 6]) {
      let next = turn
      const page = reportHtml(exampleReport(() => hostile[next++ % hostile.length] ?? ''))
      for (const shown of [page, withoutPolicy(page)]) {
        const dom = domOf(shown)
        assert.doesNotMatch(dom, /data-ran="yes"/)
        assert.doesNotMatch(dom, /<script|<img|<iframe/)
        assert.match(dom, /<section id="seal"/, 'all of the page is there')
      }
    }
  })
})
