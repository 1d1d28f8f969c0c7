/** Software as Debian packages it, used as it is meant to be: Dayfly's own rules have nothing to warn of. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Event } from '../../src/model/event.ts'
import { root } from '../daemon.ts'
import type { Stage } from './sensing/stage.ts'
import { cannotSee, kernelEvents, makeStage, until } from './sensing/stage.ts'

/** Kept in /var/cache/dayfly, so that only the first run needs Debian's servers. */
const makeImage = (): { readonly tar: string; readonly absent: string | false } => {
  if (cannotSee !== false) return { tar: '', absent: cannotSee }
  const { status, stdout, stderr } = spawnSync(join(root, 'test/system/detection/make-ordinary'), { encoding: 'utf8' })
  if (stderr.includes('the packages cannot be fetched')) return { tar: '', absent: `Debian's packages cannot be had: ${stderr.trim().slice(-300)}` }
  assert.equal(status, 0, stderr)
  return { tar: stdout.trim(), absent: false }
}

const quiet: ReadonlySet<unknown> = new Set(['notice', 'informational', 'debug'])

interface Software {
  readonly name: string
  /** A service that begins by itself and goes on. Says `at work` when it is. */
  readonly script: string
  readonly capabilities?: readonly string[]
  /** What is done with it, in it, by its own hands. Every program here must be seen. */
  readonly seen: readonly string[]
  /** What somebody does with it from outside: health checks and administration. */
  readonly checks: readonly string[]
}

const software: readonly Software[] = [
  {
    name: 'nginx',
    script: 'nginx -t; (until curl -fsS -o /dev/null http://127.0.0.1/; do sleep 0.1; done; echo at work) & exec nginx -g "daemon off;"',
    seen: ['nginx', 'curl'],
    checks: ['curl -fsS http://localhost/', 'nginx -s reload', 'kill -USR1 1', 'tail -n 1 /var/log/nginx/access.log'],
  },
  {
    name: 'PostgreSQL',
    // As images of it begin: root hands over to its user, who makes the data at the first start.
    script: `mkdir -p /srv/data && chown postgres /srv/data && exec setpriv --reuid postgres --regid postgres --clear-groups sh -ec '
      PATH=/usr/lib/postgresql/15/bin:$PATH; initdb -D /srv/data >/dev/null
      pg_ctl -D /srv/data -o "-c listen_addresses= -k /tmp" -w start >/dev/null
      psql -h /tmp -qc "create table t (n int)" -c "insert into t select generate_series(1, 1000)" postgres
      pg_ctl -D /srv/data -m fast -w stop >/dev/null
      (set +e; until psql -h /tmp -qc "vacuum analyze t" postgres 2>/dev/null; do sleep 0.1; done
       pg_dump -h /tmp postgres | gzip > /tmp/dump.gz; pgbench -h /tmp -qis 1 postgres 2>/dev/null; pgbench -h /tmp -T 1 postgres >/dev/null 2>&1; echo at work) &
      postgres -D /srv/data -k /tmp'`,
    seen: ['initdb', 'pg_ctl', 'postgres', 'psql', 'pg_dump', 'pgbench'],
    checks: [
      '/usr/lib/postgresql/15/bin/pg_isready -h /tmp',
      'setpriv --reuid postgres --clear-groups psql -h /tmp -c "select count(*) from t" postgres',
    ],
  },
  {
    name: 'Redis',
    script: `mkdir -p /srv/data && cd /srv/data
      (until redis-cli ping >/dev/null 2>&1; do sleep 0.1; done; redis-cli set a b; redis-cli bgsave; redis-cli bgrewriteaof; sleep 1; redis-benchmark -q -n 1000 -t get,set >/dev/null; echo at work) &
      exec redis-server --appendonly yes --dir /srv/data`,
    seen: ['redis-server', 'redis-cli', 'redis-benchmark'],
    checks: ['redis-cli ping', 'redis-cli --rdb /tmp/copy.rdb', 'redis-cli info'],
  },
  {
    name: 'cron, and what it does each day',
    // Without the pause by which Debian's hosts do not all ask at once.
    script:
      'echo "APT::Periodic::RandomSleep 0;" > /etc/apt/apt.conf.d/99now; cron; run-parts --report /etc/cron.daily; run-parts /etc/cron.weekly; echo at work; while :; do sleep 60; done',
    seen: ['cron', 'run-parts'],
    checks: ['cat /etc/crontab', 'ps aux'],
  },
  {
    name: 'a script of the shell',
    script: `set -e; work=$(mktemp -d); cd "$work"; find /usr/share -name '*.sh' -o -name '*.conf' | sort > list; tar czf copy.tgz -T list; mkdir out; tar xzf copy.tgz -C out
      awk '{ print length($0) }' list | sort -n | tail -n 1; sed -i 's/usr/USR/' list; chmod 755 list; ln -s list link; mv link other; cp -a out again; rm -rf out again
      printf '#!/bin/sh\\nid -un\\n' > tool; chmod +x tool; ./tool; id; ps aux > /dev/null; date; env | sort > /dev/null; getent passwd postgres; dpkg -l > /dev/null; perl -e 'print 1 + 1'
      openssl version 2>/dev/null || true; ( sleep 0.1; kill $$ 2>/dev/null ) & trap 'echo at work' TERM; while :; do sleep 1; done`,
    seen: ['mktemp', 'find', 'tar', 'awk', 'perl', 'ps', 'dpkg'],
    checks: ['ls -la /', 'df -h'],
  },
]

const { tar, absent } = makeImage()

describe('ordinary software', { skip: absent }, () => {
  let stage: Stage
  before(async () => {
    stage = await makeStage()
    await stage.daemon.client.importImage({ path: tar, name: 'ordinary' }, () => {})
  })
  after(() => stage?.[Symbol.asyncDispose]())

  for (const { name, script, seen, checks, capabilities = [] } of software) {
    test(name, { timeout: 170_000 }, async () => {
      const { client } = stage.daemon
      const limits = { memory: 512 * 1024 * 1024 }
      const more = { image: 'ordinary', kind: 'service' as const, capabilities: [...capabilities], limits }
      const { environment, instance } = await stage.begin(script, more)
      const log = (): string => readFileSync(join(stage.daemon.stateDir, `records/${instance}.log`), 'utf8')
      await until(`${name} is at work`, async () => log().includes('at work') || (await ended(instance))).catch(error =>
        assert.fail(`${String(error)}: ${log()}`),
      )
      assert.match(log(), /at work/)
      for (const check of checks) {
        const execution = await client.exec(instance, { command: ['/bin/sh', '-c', check] })
        for await (const _ of execution.frames);
        execution.end()
      }
      await stage.end(environment)
      const events = kernelEvents(stage.activity(environment))
      const programs = new Set(events.flatMap(({ type, name }) => (type === 'exec' ? [name] : [])))
      for (const program of seen) assert.ok(programs.has(program.slice(0, 15)), `${program} in ${[...programs].join(' ')}`)
      const raised = (await stage.record(environment)).filter(({ type }) => type === 'detection.raised')
      const loud = raised.filter(({ data }) => !quiet.has(data['priority']))
      assert.deepEqual(loud.map(described), [])
    })
  }

  const described = ({ reason, data }: Event): string => `${String(data['rule'])}: ${reason}`
  const ended = async (instance: string): Promise<boolean> => (await stage.daemon.client.instance(instance)).state !== 'running'
})
