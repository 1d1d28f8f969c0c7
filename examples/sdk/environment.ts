/** An environment of two services from a compose file, asked over its published port, and what was written of it. */
import { Environment } from 'dayfly'

const image = process.argv[2] ?? 'demo'

const compose = {
  name: 'pages',
  services: {
    web: {
      image,
      command: ['httpd', '-f', '-p', '80', '-h', '/www'],
      ports: [{ target: 80, mode: 'host', app_protocol: 'tcp' }],
      configs: [{ source: 'page', target: '/www/index.html' }],
      healthcheck: { test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1/'], interval: '200ms', retries: 20 },
      stop_signal: 'SIGKILL',
    },
    visitor: {
      image,
      command: ['sh', '-c', 'sleep 1000'],
      depends_on: { web: { condition: 'service_healthy' } },
      stop_signal: 'SIGKILL',
    },
  },
  configs: { page: { content: 'hello from compose' } },
}

await using environment = await Environment.up(compose, { timeoutMs: 300_000, metadata: { example: 'yes' } })
const web = environment.service('web')
console.log(`${environment.name} is ready: ${await web.url()}`)
const page = (await web.commands.run('wget -q -O - http://127.0.0.1/')).stdout
if (page !== 'hello from compose') throw new Error(page)
console.log(`it says: ${page}`)
await environment.down()

const types: string[] = []
for await (const { type } of environment.events()) types.push(type)
console.log(`its record has ${types.length} entries, from ${types[0]} to ${types.at(-1)}`)
