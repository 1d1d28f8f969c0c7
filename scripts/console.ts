/**
 * The console's bundle.
 *
 *     node scripts/console.ts build                      into build/console, unless what is there is of these very sources
 *     node scripts/console.ts dev SOCKET [PORT]          a development server on the loopback, in front of a daemon's socket: whoever reaches it is its owner
 */
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { request } from 'node:http'
import { join, resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import type { InlineConfig, Plugin } from 'vite'
import { build, createServer } from 'vite'

const root = resolve(import.meta.dirname, '..')
const source = join(root, 'src/apps/console')
const target = join(root, 'build/console')
const stamp = join(root, 'build/console.stamp')

/**
 * The terminal sets colours as the text of an attribute, and its scroll bar by a style element, which the page's policy forbids; properties are allowed. Should a version of it do so
 * otherwise, the build fails and the browser's test tells why this is here.
 */
const styleByProperties: Plugin = {
  name: 'dayfly-style-by-properties',
  transform: (code, id) => {
    if (!id.includes('@xterm/xterm/lib/xterm.mjs')) return undefined
    const attribute = /([\w$]+)\.setAttribute\("style",`\$\{\1\.getAttribute\("style"\)\|\|""\}\$\{([\w$]+)\};`\)/g
    // How its scroll bar looks is in the page's own style; this element shows nothing and styles nothing.
    const element = /\.mainDocument\.createElement\("style"\)/g
    const mended = code.replace(attribute, '$1.style.cssText+=$2+";"').replace(element, '.mainDocument.createElement("template")')
    const left = /setAttribute\("style"|(?<!_document)\.createElement\("style"\)/
    if (!attribute.test(code) || !element.test(code) || left.test(mended)) throw new Error('the terminal sets styles in a way that is not known')
    return { code: mended, map: null }
  },
}

const config: InlineConfig = {
  configFile: false,
  root: source,
  logLevel: 'warn',
  plugins: [react(), styleByProperties],
  build: {
    outDir: target,
    emptyOutDir: true,
    target: 'es2023',
    // An address of data in a style or page would need a weaker policy; a file needs none.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 800,
    reportCompressedSize: false,
    // src/apps/console/jitless.ts has to be the first, in whichever file it is put.
    rolldownOptions: { output: { strictExecutionOrder: true } },
  },
}

/** Of everything that the bundle is made of. */
const sourcesHash = (): string => {
  const hash = createHash('sha256')
  const files = globSync(['src/apps/console/**/*', 'src/{api,model,base}/**/*.ts', 'scripts/console.ts', 'package-lock.json'], {
    cwd: root,
    withFileTypes: true,
  })
  for (const file of files
    .filter(each => each.isFile())
    .map(each => join(each.parentPath, each.name))
    .sort()) {
    hash.update(`${file.slice(root.length)}\0`)
    hash.update(createHash('sha256').update(readFileSync(file)).digest())
  }
  return hash.digest('hex')
}

const makeBundle = async (): Promise<void> => {
  const wanted = sourcesHash()
  if (existsSync(join(target, 'index.html')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.log('console: building')
  await build(config)
  mkdirSync(join(root, 'build'), { recursive: true })
  writeFileSync(stamp, wanted)
}

const dev = async (socketPath: string, port: number): Promise<void> => {
  const forward = (from: IncomingMessage, to: ServerResponse): void => {
    const { method, url, headers } = from
    // The page itself is of another origin than the daemon knows: it is told nothing of it.
    const { origin: _origin, cookie: _cookie, ...rest } = headers
    const onward = request({ socketPath, method, path: `/v1${url ?? ''}`, headers: rest }, answer => {
      to.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(to)
    })
    onward.on('error', error => {
      if (to.headersSent) to.destroy()
      else to.writeHead(502, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ code: 'unreachable', detail: error.message }))
    })
    to.on('close', () => onward.destroy())
    from.pipe(onward)
  }
  const server = await createServer({
    ...config,
    server: { host: '127.0.0.1', port, strictPort: true },
    plugins: [react(), styleByProperties, { name: 'dayfly-api', configureServer: ({ middlewares }) => void middlewares.use('/v1', forward) }],
  })
  await server.listen()
  server.printUrls()
}

const [command, socket, port = '5173'] = process.argv.slice(2)
if (command === 'build') await makeBundle()
else if (command === 'dev' && socket !== undefined) await dev(resolve(socket), Number(port))
else {
  console.error('console: say `build`, or `dev SOCKET [PORT]`')
  process.exitCode = 2
}
