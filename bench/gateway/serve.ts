/** Dayfly's gateway alone, in front of one instance: `node serve.ts PORT INSTANCE_PORT`. Its reports are taken and thrown away, as an engine would take them. */
import { stderrLog } from '../../src/base/log.ts'
import { createGateway } from '../../src/gateway/create.ts'

const [port, instancePort] = process.argv.slice(2).map(Number)
if (port === undefined || instancePort === undefined) throw new Error('usage: serve.ts PORT INSTANCE_PORT')
const gateway = await createGateway({
  ...{ listen: { host: '127.0.0.1', port }, domains: ['localhost'], log: stderrLog('info') },
  onWake: async () => {},
  onReport: () => {},
})
const endpoints = [{ instance: 'i1', host: '127.0.0.1', port: instancePort }]
await gateway.setRoutes({ set: [{ id: 'bench', hosts: ['web.bench.localhost'], environment: 'e1', workload: 'web', endpoints }] })
