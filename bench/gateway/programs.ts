/** The programs that are compared, each with one thread of work, and what stands on both sides of them. All logs of requests are off but Dayfly's, which has no off. */
import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Program extends AsyncDisposable {
  readonly name: string
  readonly port: number
  readonly pid: number
}

/** The core that proxies run on; load and instance share the other. */
export const proxyCore = 0
export const loadCore = 1

const listens = async (port: number, child: ChildProcess): Promise<void> => {
  while (child.exitCode === null) {
    const socket = connect(port, '127.0.0.1')
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (open) return
    await sleep(50)
  }
  throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode} before it listened on ${port}`)
}

const start = async (name: string, core: number, port: number, argv: readonly string[]): Promise<Program> => {
  const child = spawn('taskset', ['-c', String(core), ...argv], { stdio: ['ignore', 'ignore', 'inherit'] })
  const { pid } = child
  if (pid === undefined) throw new Error(`${name} cannot be started`)
  await listens(port, child)
  return {
    ...{ name, port, pid },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

const nginxFolders = (folder: string): string =>
  ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(kind => `${kind}_temp_path ${join(folder, kind)};`).join(' ')

const nginxConfig = (folder: string, http: string): string => {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'nginx.conf')
  writeFileSync(
    file,
    `worker_processes 1; daemon off; pid ${join(folder, 'pid')}; error_log ${join(folder, 'error.log')};
events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 600; ${nginxFolders(folder)} ${http} }
`,
  )
  return file
}

/** Answers 1 KiB, faster than any proxy passes it on. */
export const startUpstream = (folder: string, port: number): Promise<Program> => {
  const body = 'x'.repeat(1024)
  const file = nginxConfig(folder, `server { listen 127.0.0.1:${port}; default_type text/plain; location / { return 200 ${body}; } }`)
  return start('no proxy', loadCore, port, ['nginx', '-c', file])
}

export const startNginx = (folder: string, port: number, upstream: number): Promise<Program> => {
  const file = nginxConfig(
    folder,
    `upstream instance { server 127.0.0.1:${upstream}; keepalive 256; keepalive_requests 1000000000; }
server { listen 127.0.0.1:${port}; server_name web.bench.localhost;
  location / { proxy_pass http://instance; proxy_http_version 1.1; proxy_buffering off; proxy_set_header Connection ""; proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host; } }`,
  )
  return start('nginx', proxyCore, port, ['nginx', '-c', file])
}

export const startHaproxy = (folder: string, port: number, upstream: number): Promise<Program> => {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'haproxy.cfg')
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 300s
  option forwardfor
  http-reuse always
frontend clients
  bind 127.0.0.1:${port}
  acl bench hdr(host) -m beg web.bench.localhost
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  use_backend instance if bench
backend instance
  server one 127.0.0.1:${upstream}
`,
  )
  return start('haproxy', proxyCore, port, ['haproxy', '-db', '-q', '-f', file])
}

export const startDayfly = (port: number, upstream: number): Promise<Program> =>
  start('dayfly', proxyCore, port, [process.execPath, join(import.meta.dirname, 'serve.ts'), String(port), String(upstream)])

/** A process and all below it. */
export const family = (pid: number): number[] => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return [pid, ...(children === '' ? [] : children.split(' ').flatMap(child => family(Number(child))))]
}

/** Seconds of processor time that a process and all below it have had. */
export const processorTime = (pid: number): number => {
  const ticks = family(pid).map(one => {
    const fields = readFileSync(`/proc/${one}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return Number(fields[11]) + Number(fields[12])
  })
  return ticks.reduce((sum, count) => sum + count, 0) / 100
}

export const missing = (programs: readonly string[]): string[] => programs.filter(program => spawnSync('which', [program]).status !== 0)
