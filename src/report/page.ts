/**
 * A report as one page that needs nothing else: no script, no other origin, which its own policy says to the browser. Pure: the same report is the same bytes.
 */
import { createHash } from 'node:crypto'
import type { Html } from '../base/html.ts'
import { html } from '../base/html.ts'
import type { Report } from '../model/report.ts'
import { events, findings, instances, network, origins, overview, processes, resources, seal, verdicts } from './sections.ts'
import { style } from './style.ts'
import { timeline } from './timeline.ts'
import { badge } from './words.ts'

const styleHash = createHash('sha256').update(style).digest('base64')
/** What the page asks of the browser: one style, and nothing else. */
export const reportPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; img-src data:; base-uri 'none'; form-action 'none'`

const parts: readonly (readonly [id: string, title: string, of: (report: Report) => Html])[] = [
  ['overview', 'Overview', overview],
  ['timeline', 'Timeline', timeline],
  ['origins', 'What ran', origins],
  ['verdicts', 'Admission', verdicts],
  ['findings', 'Findings and responses', findings],
  ['instances', 'Instances', instances],
  ['processes', 'Processes', processes],
  ['network', 'Network', network],
  ['resources', 'Resources and cost', resources],
  ['record', 'Record', events],
  ['seal', 'Seal', seal],
]

/** The page bit by bit: who shares a thread with others lets them have a turn in between. */
export function* reportPieces(report: Report): Generator<string> {
  const { name, id, state, cause } = report.environment
  yield html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${reportPolicy}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${name} · Dayfly</title>
<style>${{ html: style }}</style>
</head>
<body>
<a class="skip" href="#main">To the content</a>
<header>
<h1>${name} ${badge(cause === 'denied' ? 'denied' : state)}</h1>
<p class="sub">Environment <code>${id}</code>: its whole life, from its record</p>
<nav aria-label="Parts">${parts.map(([anchor, title]) => html`<a href="#${anchor}">${title}</a>`)}</nav>
</header>
<main id="main">
`.html
  for (const [anchor, title, of] of parts) {
    yield html`<section id="${anchor}" aria-labelledby="${anchor}-title"><h2 id="${anchor}-title">${title}</h2>\n${of(report)}</section>\n`.html
  }
  yield html`
</main>
<footer>Times are UTC. Made by Dayfly from the environment’s record.</footer>
</body>
</html>
`.html
}

export const reportHtml = (report: Report): string => [...reportPieces(report)].join('')
