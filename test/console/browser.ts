/** A daemon, its console and a browser, for tests and screenshots. Whatever the page's policy had to stop, and whatever went wrong in it, is collected. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import axe from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { chromium } from 'playwright-core'
import { z } from 'zod'
import { errnoOf } from '../../src/base/errors.ts'
import type { Daemon } from '../daemon.ts'
import { makeFolder, root, startDaemon } from '../daemon.ts'

/** Debian's and Ubuntu's places. */
const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(path => existsSync(path))
/** For `skip`: why there is no browser; false where there is one. */
export const noBrowser: string | false = program === undefined ? 'there is no chromium: apt-get install chromium' : false

export interface Visit {
  readonly page: Page
  /** What the policy has stopped, what was thrown, what was logged as an error. None is the rule. */
  readonly faults: string[]
}

export interface Console extends AsyncDisposable {
  readonly daemon: Daemon
  /** `https://127.0.0.1:PORT` */
  readonly address: string
  /** Of the API over the daemon's socket: as its owner. Throws what was answered instead of 2xx. */
  call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<unknown>
  /** A page that nobody is signed in to. */
  visit(options?: BrowserContextOptions): Promise<Visit>
  /** A page of the owner's, at this path. */
  open(path: string, options?: BrowserContextOptions): Promise<Visit>
}

const SessionCode = z.object({ url: z.string() })

/** Answers in lines end with what came of it. */
const lastOf = (said: string): unknown => {
  const last = said.trim().split('\n').at(-1) ?? ''
  return last === '' ? undefined : JSON.parse(last)
}

const callOver = (socketPath: string, method: string, path: string, body?: object): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const headers = text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
    const sent = request({ socketPath, method, path, headers }, async answer => {
      const pieces: Buffer[] = []
      for await (const piece of answer) pieces.push(piece)
      const said = Buffer.concat(pieces).toString()
      if ((answer.statusCode ?? 500) < 300) resolve(lastOf(said))
      else reject(new Error(`${method} ${path}: ${answer.statusCode} ${said}`))
    })
    sent.on('error', reject)
    sent.end(text)
  })

const Living = z.object({ environments: z.array(z.object({ id: z.string() })) })

/** A few at once: a test may have left thousands. */
const endAll = async (call: Console['call']): Promise<void> => {
  for (;;) {
    const { environments } = Living.parse(await call('GET', '/v1/environments?limit=50'))
    if (environments.length === 0) return
    await Promise.all(environments.map(({ id }) => call('DELETE', `/v1/environments/${id}?force=true`)))
  }
}

/** A test has killed it itself. */
const daemonIsGone = (error: unknown): boolean => ['ECONNREFUSED', 'ENOENT', 'ECONNRESET'].includes(errnoOf(error) ?? '')

/** Sees in the page what only the page is told. */
const watcher = `addEventListener('securitypolicyviolation', event =>
  console.error('policy: ' + event.violatedDirective + ' ' + event.sourceFile + ':' + event.lineNumber + ' ' + event.sample))`

const visitIn = async (browser: Browser, address: string, options: BrowserContextOptions): Promise<Visit> => {
  const context = await browser.newContext({ baseURL: address, ignoreHTTPSErrors: true, viewport: { width: 1360, height: 850 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  const faults: string[] = []
  await page.addInitScript({ content: watcher })
  page.on('pageerror', error => faults.push(`thrown: ${error.message}`))
  page.on('dialog', dialog => {
    faults.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('console', message => {
    // That nobody is signed in yet is answered by 401, which a browser logs.
    if (message.type() === 'error' && !/status of 40[134]|ERR_NETWORK_CHANGED/.test(message.text()))
      faults.push(`${message.text()} ${message.location().url}`)
  })
  return { page, faults }
}

/**
 * Goes to a page and waits for what `ready` names. A browser breaks off what it loads when network interfaces of this host come and go, as they do in tests
 * beside this one: then it is loaded again.
 */
export const go = async (page: Page, address: string, ready = 'h1'): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    try {
      await page.goto(address)
      await page.locator(ready).first().waitFor({ timeout: 8_000 })
      return
    } catch (error) {
      if (attempt === 5) throw error
      await sleep(300)
    }
  }
}

/** Until nothing on the page is being loaded. */
export const loaded = async (page: Page): Promise<void> => {
  await page.locator('.spinner').first().waitFor({ state: 'detached' })
}

/** The bundle is built first unless it is there. `fake`: everything above the kernel is real. */
export const openConsole = async (backend: 'fake' | 'linux'): Promise<Console> => {
  assert(program !== undefined, String(noBrowser))
  const built = spawnSync(process.execPath, [join(root, 'scripts/console.ts'), 'build'], { encoding: 'utf8' })
  assert.equal(built.status, 0, built.stderr)
  const folder = makeFolder(join(tmpdir(), 'dayfly-console-'))
  const daemon = startDaemon({ folder, env: { ...process.env, DAYFLY_BACKEND: backend } })
  const closing = new AsyncDisposableStack()
  closing.defer(() => rmSync(folder, { recursive: true, force: true }))
  closing.use(daemon)
  try {
    await daemon.ready
    const socket = join(daemon.runDir, 'dayfly.sock')
    const call: Console['call'] = (method, path, body) => callOver(socket, method, path, body)
    const codeUrl = async (): Promise<string> => SessionCode.parse(await call('POST', '/v1/session/code')).url
    // What a daemon leaves alive lives on without it, and would have lost its folder here.
    closing.defer(async () => await endAll(call).catch((error: unknown) => assert.equal(daemonIsGone(error), true, String(error))))
    const address = new URL(await codeUrl()).origin
    // As root, chromium's own sandbox cannot be had; what it loads is ours.
    const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu'] })
    closing.defer(() => browser.close())
    const visit: Console['visit'] = (options = {}) => visitIn(browser, address, options)
    return {
      ...{ daemon, address, call, visit },
      open: async (path, options) => {
        const opened = await visit(options)
        // What is broken off may have used the code: each attempt has one of its own.
        for (let attempt = 1; attempt <= 3; attempt++) {
          await opened.page.goto(await codeUrl()).catch(() => undefined)
          const signedIn = await opened.page
            .locator('.frame')
            .waitFor({ timeout: 8_000 })
            .then(
              () => true,
              () => false,
            )
          if (signedIn) break
          await opened.page.goto('about:blank')
        }
        await go(opened.page, path)
        return opened
      },
      [Symbol.asyncDispose]: () => closing.disposeAsync(),
    }
  } catch (error) {
    await closing.disposeAsync()
    throw error
  }
}

const Violations = z.array(
  z.object({ id: z.string(), help: z.string(), nodes: z.array(z.object({ html: z.string(), failureSummary: z.string().optional() })) }),
)

/** What axe finds against WCAG 2.2 A and AA; none is the rule. */
export const accessibilityFaults = async (page: Page): Promise<string[]> => {
  await page.evaluate(axe.source)
  const found: unknown = await page.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }).then(result => JSON.parse(JSON.stringify(result.violations)))`,
  )
  return Violations.parse(found).flatMap(({ id, help, nodes }) =>
    nodes.map(node => `${id}: ${help}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ''}`),
  )
}

/** Runs a command in an environment of its own. Resolves to its id. */
export const run = async (console: Console, request: object): Promise<string> =>
  z.object({ id: z.string() }).parse(await console.call('POST', '/v1/environments', request)).id
