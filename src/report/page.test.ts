import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { exampleReport } from '../../test/report/example.ts'
import { escapeHtml, html } from '../base/html.ts'
import { Report } from '../model/report.ts'
import { reportHtml } from './page.ts'

const tagsOf = (page: string): string[] => page.match(/<[^>]*>/g) ?? []

describe('the page of a report', () => {
  const page = reportHtml(exampleReport())

  test('is of a report as its schema has it', () => {
    assert.deepEqual(Report.parse(exampleReport()), exampleReport())
  })

  test('needs nothing from anywhere, and says so to the browser', () => {
    assert.doesNotMatch(page, /<script|<iframe|<object|<embed|<link|@import|url\(|\son[a-z]+=|\sstyle=|javascript:/i)
    assert.doesNotMatch(page, /\b(src|action|srcset)=|href="(?!#)/)
    const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? []
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? []
    const hash = createHash('sha256').update(style).digest('base64')
    assert.match(policy, /^default-src &#39;none&#39;; /)
    assert.ok(policy.includes(`style-src &#39;sha256-${hash}&#39;;`), policy)
    assert.ok(page.indexOf('Content-Security-Policy') < page.indexOf('<title>'), 'before anything that comes from outside')
  })

  test('has every part, with a heading and a name', () => {
    for (const anchor of page.matchAll(/<a href="#([a-z]+)">/g)) {
      if (anchor[1] === 'main') continue
      assert.match(page, new RegExp(`<section id="${anchor[1]}" aria-labelledby="${anchor[1]}-title"><h2 id="${anchor[1]}-title">`))
    }
    assert.match(page, /<html lang="en">/)
    for (const drawing of page.match(/<svg [^>]*>/g) ?? []) assert.match(drawing, /aria-label=|aria-hidden="true"/)
    for (const list of page.match(/<table>[\s\S]*?<\/table>/g) ?? []) assert.match(list, /<caption>/)
  })

  test('shows a life of 5 ms in an hour', () => {
    const widths = [...page.matchAll(/class="warn" x="([\d.]+)" y="3" width="([\d.]+)"/g)].map(([, , width]) => Number(width))
    assert.deepEqual(widths, [4])
    assert.match(page, /ran 5 ms, exit code 3/)
  })

  test('says how many more there are of each list', () => {
    for (const said of ['and 2 more instances', 'and 1 more verdicts', 'and 1 more processes', 'and 1 more reasons', 'and 1 more', 'and 4 more']) {
      assert.ok(page.includes(said), said)
    }
  })

  test('is the same bytes each time', () => {
    assert.equal(reportHtml(exampleReport()), page)
  })

  test('of an environment of which little is known is a page, too', () => {
    const empty = { items: [], more: 0 }
    const report = exampleReport()
    const bare: Report = {
      ...report,
      ...{
        workloads: [],
        images: empty,
        instances: empty,
        verdicts: empty,
        events: empty,
        processes: empty,
        network: empty,
        findings: empty,
        resources: empty,
      },
      environment: { ...report.environment, endedAt: null, state: 'running', cause: null, labels: {}, isolated: false },
      activity: { kept: false, lost: 0, counts: {}, complete: true },
      cost: { ...report.cost, measured: 0 },
      seal: { sealed: false, entries: 1, head: 'ab', key: null, signedAt: null },
    }
    assert.match(reportHtml(bare), /Nobody watched what it did/)
  })
})

describe('what comes from outside', () => {
  test('becomes no markup, wherever it stands', () => {
    const known = tagsOf(reportHtml(exampleReport(() => 'x')))
      .map(tag => tag.replace(/\s[\s\S]*/, '').replaceAll(/[</>]/g, ''))
      .sort()
    const hostile = [
      '<script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      "' onmouseover='alert(1)",
      '</title></style></textarea></svg><script>alert(1)</script>',
      '<!--',
      ']]>',
      '&lt;script&gt;',
      '`-alert(1)-`',
      'javascript:alert(1)',
      '\u0000<\u0000script>',
      '\u202Egpj.exe',
    ]
    for (const text of hostile) {
      const page = reportHtml(exampleReport(() => text))
      const tags = tagsOf(page)
        .map(tag => tag.replace(/\s[\s\S]*/, '').replaceAll(/[</>]/g, ''))
        .sort()
      // A text may be cut or shown twice; it never adds an element.
      assert.deepEqual(new Set(tags), new Set(known), text)
      assert.doesNotMatch(page, /<script|<img|\u202e/, text)
      assert.ok(!page.includes('\u0000'), text)
    }
  })

  test('is the same text for the reader', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        const escaped = html`<p title="${text}">${[text]}</p>`.html
        assert.doesNotMatch(escaped.slice('<p title="'.length, -'</p>'.length), /[<'`]|"[^>]/)
        const back = escapeHtml(text).replaceAll(
          /&(amp|lt|gt|quot|#39|#96);/g,
          (_, name) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#96': '`' })[String(name)] ?? '',
        )
        if (!/[\p{Cc}\p{Cf}]/u.test(text)) assert.equal(back, text)
      }),
    )
  })
})
