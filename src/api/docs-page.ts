/** The API for people to read: one page made of the OpenAPI document, without a script. */
import { createHash } from 'node:crypto'
import type { Html } from '../base/html.ts'
import { html } from '../base/html.ts'
import type { Access } from './authorization.ts'
import type { Answer, Route } from './route.ts'
import { routeKey } from './route.ts'

const style = `
:root{color-scheme:light dark;--bg:#fbfbfa;--card:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d9dde2;--get:#1a6b46;--post:#2b5fa8;--put:#8a5a00;--delete:#b3261e}
@media (prefers-color-scheme:dark){:root{--bg:#14171a;--card:#1c2024;--ink:#e6e9ec;--soft:#a3adb8;--line:#343b43;--get:#4fb286;--post:#82b1ff;--put:#f0b95a;--delete:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:980px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:26px;margin:0}h2{font-size:18px;margin:32px 0 8px;border-bottom:1px solid var(--line);padding-bottom:4px}h3{font-size:13px;color:var(--soft);margin:14px 0 4px}
p{margin:6px 0;overflow-wrap:anywhere}.soft{color:var(--soft)}
code,pre{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
pre{background:var(--bg);border:1px solid var(--line);border-radius:6px;padding:10px;overflow:auto;max-height:420px}
details.route{background:var(--card);border:1px solid var(--line);border-radius:8px;margin:8px 0;padding:0 14px}
details.route>summary{padding:9px 0;cursor:pointer;display:flex;flex-wrap:wrap;gap:2px 12px;align-items:baseline}
details.route[open]{padding-bottom:14px}
.method{font:600 12.5px ui-monospace,Menlo,monospace;min-width:58px}.get{color:var(--get)}.post{color:var(--post)}.put{color:var(--put)}.delete{color:var(--delete)}
.path{font-weight:600}
table{border-collapse:collapse;width:100%;font-size:14px}th{text-align:left;color:var(--soft);font-size:12.5px}th,td{padding:4px 12px 4px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
summary:focus-visible,a:focus-visible{outline:2px solid var(--post);outline-offset:2px}
`

/** The page's one style, and nothing else. */
export const docsPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

type Json = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const member = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined)
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** What a parameter may be, in a word. */
const kindOf = (schema: unknown): string => {
  const options = member(schema, 'enum')
  if (Array.isArray(options)) return options.map(String).join(' · ')
  return textOf(member(schema, 'type')) || textOf(member(schema, 'pattern'))
}

const parameterRow = (parameter: unknown): Html =>
  html`<tr><td><code>${textOf(member(parameter, 'name'))}</code>${
    member(parameter, 'required') === true ? ' (needed)' : ''
  }</td><td>${textOf(member(parameter, 'in'))}</td><td>${kindOf(member(parameter, 'schema'))}</td><td>${textOf(member(parameter, 'description'))}</td></tr>`

/** Schemas by name, those that they use after them. */
const withUsed = (schema: unknown, schemas: Json): Json => {
  const used = new Map<string, unknown>()
  const look = (value: unknown): void => {
    for (const [, name = ''] of JSON.stringify(value ?? null).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (used.has(name)) continue
      used.set(name, schemas[name])
      look(schemas[name])
    }
  }
  look(schema)
  return Object.fromEntries(used)
}

const schemaBlock = (schema: unknown, schemas: Json): Html =>
  html`<details><summary class="soft">JSON Schema</summary><pre>${JSON.stringify(schema, undefined, 2)}</pre>${Object.entries(
    withUsed(schema, schemas),
  ).map(([name, used]) => html`<h3>${name}</h3><pre>${JSON.stringify(used, undefined, 2)}</pre>`)}</details>`

const answerBlock = ({ status, description, mediaType }: Answer): Html =>
  html`<p><code>${status}</code> ${description}${mediaType === undefined ? '' : html` <span class="soft">${mediaType}</span>`}</p>`

const routeBlock = (route: Route, operation: unknown, { roles, reach }: Access, schemas: Json): Html => {
  const parameters = member(operation, 'parameters')
  const body = member(member(member(member(operation, 'requestBody'), 'content'), 'application/json'), 'schema')
  return html`<details class="route" id="${routeKey(route)}"><summary><span class="method ${route.method.toLowerCase()}">${route.method}</span><code class="path">${
    route.path
  }</code><span>${route.summary}</span></summary>
<p>${route.description ?? ''}</p>
<p class="soft">For the roles ${roles.length === 0 ? 'of nobody but the owner' : roles.join(', ')}; ${
    { team: "sees what is of the caller's teams", host: 'about the host', self: 'about the caller', open: 'needs no credentials' }[reach]
  }.</p>
${
  Array.isArray(parameters)
    ? html`<h3>Parameters</h3><table><thead><tr><th>Name</th><th>In</th><th>Kind</th><th>Meaning</th></tr></thead><tbody>${parameters.map(parameterRow)}</tbody></table>`
    : ''
}
${body === undefined ? '' : html`<h3>Body</h3>${schemaBlock(body, schemas)}`}
<h3>Answers</h3>${route.answers.map(answerBlock)}</details>`
}

/** `/v1/environments/:ref` is of `environments`. */
const groupOf = ({ path }: Route): string => path.split('/')[2] ?? path.slice(1)

/** `document`: of these routes; see openapi.ts. */
export const docsPage = (routes: readonly Route[], document: Json, access: (route: Route) => Access): string => {
  const schemas = member(member(document, 'components'), 'schemas')
  const operation = (route: Route): unknown =>
    member(member(member(document, 'paths'), route.path.replaceAll(/:(\w+)/g, '{$1}')), route.method.toLowerCase())
  const groups = Object.entries(Object.groupBy(routes, groupOf)).sort(([left], [right]) => (left < right ? -1 : 1))
  const info = member(document, 'info')
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Dayfly API</title><style>${{ html: style }}</style></head>
<body><main><h1>Dayfly API</h1><p class="soft">Version ${textOf(member(info, 'version'))} · <a href="/v1/openapi.json">OpenAPI document</a></p>
<p>${textOf(member(info, 'description'))}</p>
${groups.map(
  ([name, members = []]) =>
    html`<h2>${name}</h2>${members.map(route => routeBlock(route, operation(route), access(route), isObject(schemas) ? schemas : {}))}`,
)}
</main></body></html>`
  return page.html
}
