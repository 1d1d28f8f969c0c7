import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noRestart } from '../../model/deployment.ts'
import type { Environment } from '../../model/environment.ts'
import { defaultLease } from '../../model/lease.ts'
import { createHostClaims, environmentDomains } from './host-names.ts'

const environment = (id: string, name: string, team: string | undefined, host?: string): Environment => ({
  ...{
    id,
    state: 'running',
    reason: '',
    cause: undefined,
    createdAt: 0,
    endedAt: undefined,
    bootId: '',
    createdBoot: 0,
    ttlDeadline: 0,
    lastActivity: 0,
  },
  spec: {
    ...{ name, owner: 'somebody', labels: {}, lease: defaultLease },
    ...(team === undefined ? {} : { team }),
    workloads: {
      web: {
        ...{
          kind: 'service',
          image: 'sha256:0',
          imageName: 'web',
          command: ['web'],
          env: {},
          user: '',
          workdir: '/',
          readOnly: false,
          capabilities: [],
        },
        ...{ limits: { cpus: 1, memory: 1, pids: 1, io: 1 }, egress: [], runtime: 'crun', tty: false, stdin: false, stopSignal: 'SIGTERM', grace: 0 },
        ...{ logLimit: 1, secrets: [] },
        deployment: {
          ...{ scale: { min: 1, max: 1, window: 0 }, restart: noRestart, dependsOn: {}, networks: {} },
          ...{ expose: host === undefined ? [] : [{ port: 80, protocol: 'http', host }], update: { order: 'start-first', parallelism: 1 } },
        },
      },
    },
  },
})

test('names of two teams are never the same, whatever their environments are called', () => {
  const domains = ['localhost', 'preview.example.org', 'blue.localhost']
  const names = new Map<string, string>()
  for (const team of [undefined, 'blue', 'green']) {
    for (const name of ['shop', 'blue', 'green', 'shop-blue']) {
      for (const domain of environmentDomains(environment('e', name, team), domains)) {
        assert.equal(names.get(domain), undefined, `${domain} of ${team}/${name} is also ${names.get(domain)}`)
        names.set(domain, `${team}/${name}`)
      }
    }
  }
  assert.equal(names.get('shop.localhost'), 'undefined/shop')
  assert.equal(names.get('shop.green.localhost'), 'green/shop')
  assert.equal(names.get('shop.blue.localhost'), 'undefined/shop')
})

test('a name that is taken tells another team nothing of whose it is', () => {
  const claims = createHostClaims()
  claims.claim(environment('e1', 'secret', 'blue', 'www.localhost'))
  assert.throws(
    () => claims.claim(environment('e2', 'mine', 'green', 'www.localhost')),
    (error: unknown) => error instanceof Error && /the name www.localhost is taken/.test(error.message) && !error.message.includes('secret'),
  )
  assert.throws(() => claims.claim(environment('e3', 'mine', 'blue', 'www.localhost')), {
    code: 'conflict',
    message: /the environment secret has the name/,
  })
})
