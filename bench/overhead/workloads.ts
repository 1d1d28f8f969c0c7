/** What is measured within an instance: each a script for its shell that writes one number, the more the better. */

export interface Workload {
  readonly name: string
  /** Of the number. */
  readonly unit: string
  /** `share`: of the whole length; a short trial takes less. */
  script(share: number): string
}

const nginxConfig = [
  'user root; worker_processes 1; pid /tmp/nginx.pid; error_log /tmp/error.log;',
  'events { worker_connections 256; }',
  'http { access_log /tmp/access.log; client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi; uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;',
  'server { listen 127.0.0.1:8080; root /tmp/www; } }',
].join(' ')

const redis = (test: string): Workload => ({
  name: `redis-benchmark, ${test.toUpperCase()}, 50 connections`,
  unit: 'requests/s',
  script: share => `
    redis-server --port 7000 --save '' --appendonly no --daemonize yes --dir /tmp > /dev/null
    until redis-cli -p 7000 ping > /dev/null 2>&1; do sleep 0.05; done
    redis-benchmark -p 7000 -t ${test} -c 50 -n ${Math.round(400_000 * share)} --csv | tail -1 | cut -d , -f 2 | tr -d '"'
    redis-cli -p 7000 shutdown nosave`,
})

/** With a rollback journal each transaction makes, writes and removes a file. No disk is waited for. */
const sqlite: Workload = {
  name: 'sqlite3, one insert a transaction, rollback journal',
  unit: 'transactions/s',
  script: share => `
    n=${Math.round(60_000 * share)}
    { echo 'pragma synchronous = off; create table t (id integer primary key, text text); create temp table clock as select unixepoch() - unixepoch() as zero, julianday() as began;'
      i=0; while [ $i -lt $n ]; do echo "insert into t (text) values ('some text of row $i');"; i=$((i + 1)); done
      echo "select round($n / ((julianday() - began) * 86400), 1) from clock;"; } > /tmp/work.sql
    sqlite3 /tmp/work.db < /tmp/work.sql | tail -1`,
}

/** Over connections that are kept; nginx opens and closes the file for each request. */
const nginx: Workload = {
  name: 'nginx, a file of 4 KiB, 32 connections of wrk',
  unit: 'requests/s',
  script: share => `
    mkdir -p /tmp/www; head -c 4096 /dev/zero > /tmp/www/file; echo '${nginxConfig}' > /tmp/nginx.conf
    nginx -c /tmp/nginx.conf
    wrk -t 1 -c 32 -d ${Math.max(1, Math.round(8 * share))}s http://127.0.0.1:8080/file > /tmp/wrk.out
    grep -q 'Non-2xx' /tmp/wrk.out && exit 1
    sed -n 's/^Requests.sec: *//p' /tmp/wrk.out
    nginx -c /tmp/nginx.conf -s stop`,
}

export const workloads: readonly Workload[] = [redis('set'), redis('get'), sqlite, nginx]
