/** Dayfly's own rules, each by what it is about, really done in a container, and by what looks like it and is not. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Scene, Stage } from './detection/stage.ts'
import { openStage } from './detection/stage.ts'
import { whyNot } from './sensor/cell.ts'

interface Case extends Scene {
  readonly name: string
  /** All rules that speak, in the order of the alphabet. */
  readonly says: readonly string[]
}

const acts = (...words: string[]): string[] => ['/bin/acts', ...words]
const nginx = (...words: string[]): string[] => ['/usr/sbin/nginx', 'spawn', ...words]
const app = (...words: string[]): string[] => ['/usr/bin/python3', 'spawn', ...words]
const job = { kind: 'job' } as const
/** A copy of a program that is in the image, by another name, is none of the image's. */
const near = 'ip link set lo up; ip addr add 10.1.0.0/16 dev lo; ip addr add 169.254.169.254/32 dev lo; '

const cases: readonly Case[] = [
  // What images ordinarily do.
  {
    name: 'an entry point that is a script',
    run: 'mkdir -p /srv/x; cat /etc/hostname; id; sh -c "ls /" >/dev/null; exec /usr/sbin/nginx nothing',
    says: [],
  },
  {
    name: 'a health check from outside',
    run: ['/bin/sleep', '1'],
    enter: ['/bin/sh', '-c', 'curl http://localhost/; cat /run/secrets/password; id'],
    says: [],
  },
  {
    name: 'an operator who looks around',
    run: ['/bin/sleep', '1'],
    enter: ['/bin/sh', '-c', 'apt-get update; cp /bin/acts /tmp/x; /tmp/x nothing'],
    says: ['Dropped binary in a service'],
  },

  { name: 'a server starts a shell', run: nginx('/bin/sh', '-c', 'id'), says: ['Shell spawned by a server'] },
  { name: 'a server starts another program', run: nginx('/bin/id'), says: [] },
  { name: 'a shell starts a server', run: '/usr/sbin/nginx nothing; true', says: [] },
  { name: 'an application starts a shell', run: app('/bin/sh', '-c', 'id'), says: ['Shell in a service'] },
  { name: 'tar compresses by a shell', run: ['/usr/bin/tar', 'spawn', '/bin/sh', '-c', 'gzip'], says: [] },
  { name: 'tar is made to start a shell', run: ['/usr/bin/tar', 'spawn', '/bin/sh', '-c', 'id'], says: ['Shell in a service'] },
  { name: 'an application of a job starts a shell', run: app('/bin/sh', '-c', 'id'), subject: job, says: [] },
  { name: 'a launcher starts a shell', run: ['/usr/bin/npm', 'spawn', '/bin/sh', '-c', 'id'], says: [] },
  { name: 'an init starts a shell', run: ['/sbin/tini', 'spawn', '/bin/sh', '-c', 'id'], says: [] },
  {
    name: 'a workload makes a terminal',
    run: 'mount -t devpts devpts /dev/pts; ln -s pts/ptmx /dev/ptmx; acts terminal; true',
    subject: job,
    says: ['Mount in a workload', 'Terminal in a workload'],
  },
  { name: 'a shell without a terminal', run: 'sh -c id; true', subject: job, says: [] },

  { name: 'a program that was dropped', run: 'cp /bin/acts /srv/x; /srv/x nothing; true', says: ['Dropped binary in a service'] },
  { name: 'a program that was dropped in a job', run: 'cp /bin/acts /srv/x; /srv/x nothing; true', subject: job, says: ['Dropped binary'] },
  { name: 'what a compiler starts in a job', run: 'cp /bin/acts /srv/x; go spawn /srv/x nothing; true', subject: job, says: [] },
  { name: 'a program of the image by another name', run: 'ln -s /bin/acts /srv/x; /srv/x nothing; true', says: [] },
  { name: 'a program in memory', run: acts('in-memory'), subject: job, says: ['Program without a file'] },
  { name: 'memory without a program', run: acts('nothing'), says: [] },
  {
    name: 'a program in shared memory',
    run: 'cp /bin/acts /dev/shm/x; /dev/shm/x nothing; true',
    subject: job,
    says: ['Dropped binary', 'Program run from shared memory'],
  },
  { name: 'data in shared memory', run: 'cp /bin/acts /dev/shm/x; true', says: [] },
  {
    name: 'a program in /tmp',
    run: 'cp /bin/acts /tmp/x; /tmp/x nothing; true',
    subject: job,
    says: ['Dropped binary', 'Program run from a folder for scratch'],
  },
  { name: 'a test that a compiler starts in /tmp', run: 'cp /bin/acts /tmp/x; go spawn /tmp/x nothing; true', subject: job, says: [] },

  { name: 'a package manager in a service', run: nginx('/usr/bin/apt-get', 'install', 'x'), says: ['Package manager in a service'] },
  { name: 'a package manager that is asked', run: nginx('/usr/bin/apt-get', 'list', '--installed'), says: [] },
  { name: 'npm that installs', run: 'npm install x; true', says: ['Package manager in a service'] },
  { name: 'npm that starts', run: 'npm start; true', says: [] },
  { name: 'a package manager in a job', run: 'apt-get install x; true', subject: job, says: [] },
  { name: 'a downloader in a service', run: nginx('/usr/bin/curl', 'http://192.0.2.1/x'), says: ['Downloader in a service'] },
  { name: 'an entry point that waits for another', run: 'curl http://db/; curl http://db/; true', says: [] },
  { name: 'a downloader that asks the own host', run: nginx('/usr/bin/curl', 'http://localhost:80/'), says: [] },
  { name: 'a miner by its name', run: 'xmrig; true', says: ['Cryptocurrency miner'] },
  { name: 'a miner by its arguments', run: acts('nothing', '-o', 'stratum+tcp://pool.example:3333'), says: ['Cryptocurrency miner'] },
  { name: 'a program that is told of a pool of connections', run: acts('nothing', '--pool', 'tcp://db:5432'), says: [] },
  {
    name: 'a dropped program that connects to a port of pools',
    run: `${near}cp /bin/acts /srv/x; /srv/x to 10.1.0.9 3333; true`,
    subject: { ...job, egress: ['10.1.0.0/16'] },
    says: ['Connection to a mining pool', 'Dropped binary'],
  },
  {
    name: 'a program of the image that connects to that port',
    run: `${near}acts to 10.1.0.9 3333; true`,
    subject: { egress: ['10.1.0.0/16'] },
    says: [],
  },

  { name: 'a process becomes a shell on a connection', run: acts('reverse-same'), subject: job, says: ['Shell with a connection as its input'] },
  { name: 'a process on a connection starts a shell', run: acts('reverse-child'), subject: job, says: ['Shell from a process on a connection'] },
  {
    name: 'a shell by the name of which a connection becomes input',
    run: 'cp /bin/acts /srv/sh; /srv/sh shell-redirects; true',
    subject: job,
    says: ['Dropped binary', 'Shell speaks to the network'],
  },
  { name: 'a service on a connection', run: acts('inetd'), says: [] },
  { name: 'a port scan', run: `${near}acts ports 10.1.0.7 1000 25; true`, subject: { egress: ['10.1.0.0/16'] }, says: ['Port scan'] },
  { name: 'a client of a few ports', run: `${near}acts ports 10.1.0.7 1000 8; true`, subject: { egress: ['10.1.0.0/16'] }, says: [] },
  {
    name: 'a port scan by a program for each port',
    run: `${near}p=1000; while [ $p -lt 1040 ]; do acts to 10.1.0.7 $p 2>/dev/null; p=$((p+1)); done`,
    subject: { egress: ['10.1.0.0/16'] },
    says: ['Port scan by many processes'],
  },
  { name: 'a sweep', run: `${near}acts hosts 22 60; true`, subject: { egress: ['10.1.0.0/16'] }, says: ['Network sweep'] },
  { name: 'a client of some hosts', run: `${near}acts hosts 22 20; true`, subject: { egress: ['10.1.0.0/16'] }, says: [] },
  {
    name: 'the metadata service',
    run: `${near}acts to 169.254.169.254 80; true`,
    subject: { egress: ['169.254.0.0/16'] },
    says: ['Metadata service contacted'],
  },
  {
    name: 'another address that is only close to its own',
    run: `${near}ip addr add 169.254.169.253/32 dev lo; acts to 169.254.169.253 80; acts to 169.254.0.1 80; true`,
    subject: { egress: ['169.254.0.0/16'] },
    says: [],
  },
  {
    name: "ports next to Kubernetes', and its own on the own host",
    run: `${near}acts to 10.1.0.9 6444; acts to 10.1.0.9 443; acts to 127.0.0.1 6443; acts to 127.0.0.1 10250; true`,
    subject: { egress: ['10.1.0.0/16'] },
    says: [],
  },
  { name: 'a kubelet', run: `${near}acts to 10.1.0.9 10250; true`, subject: { egress: ['10.1.0.0/16'] }, says: ['Kubernetes contacted'] },
  { name: "a runtime's socket", run: acts('unix-to', '/run/docker.sock'), says: ["Container runtime's socket contacted"] },
  { name: 'another socket', run: acts('unix-to', '/run/app.sock'), says: [] },
  {
    name: 'an address that is not on the list',
    run: `${near}acts to 10.1.0.9 443; true`,
    subject: { egress: ['192.0.2.0/24'] },
    says: ['Egress outside of the list'],
  },
  {
    name: 'a port that is not on the list',
    run: `${near}acts to 10.1.0.9 443; true`,
    subject: { egress: ['10.1.0.0/16:80'] },
    says: ['Egress outside of the list'],
  },
  {
    name: 'an address on the list, and the own host',
    run: `${near}acts to 10.1.0.9 443; acts to 127.0.0.1 80; true`,
    subject: { egress: ['10.1.0.0/16:443'] },
    says: [],
  },
  { name: 'a packet socket', run: acts('packets'), says: ['Packet socket'] },
  { name: 'a ping', run: acts('echoes'), says: [] },

  { name: 'the table of passwords', run: 'cat /etc/shadow; true', says: ['Table of passwords read'] },
  { name: 'the table of users, and one who adds a user', run: 'cat /etc/passwd; useradd open-to-read /etc/shadow', says: [] },
  {
    name: 'who only calls itself useradd',
    run: 'cp /bin/acts /srv/useradd; /srv/useradd open-to-read /etc/shadow; true',
    subject: job,
    says: ['Dropped binary', 'Table of passwords read'],
  },
  { name: 'a key that is shown', run: 'cat /root/.ssh/id_ed25519 /root/.aws/credentials', says: ['Credentials read'] },
  { name: 'a key that is used', run: 'ssh open-to-read /root/.ssh/id_ed25519', says: [] },
  {
    name: 'a secret that a server shows',
    run: nginx('/bin/acts', 'spawn', '/bin/cat', '/run/secrets/password'),
    says: ['Token or secret read by a tool'],
  },
  { name: 'a secret that an entry point reads', run: 'PASSWORD=$(cat /run/secrets/password); acts open-to-read /run/secrets/password', says: [] },
  {
    name: 'the environment of another process',
    run: 'mknod /dev/null c 1 3; sleep 5 & cat /proc/$!/environ; kill $!',
    says: ['Environment of another process read'],
  },
  {
    name: "the environment of another process, by its thread's folder",
    run: acts('read-environment'),
    says: ['Environment of another process read'],
  },
  { name: 'ps, which opens all there is of others', run: ['/usr/bin/ps', 'aux'], says: [] },
  { name: 'ps, asked for environments', run: ['/usr/bin/ps', 'auxe'], says: ['Environment of another process read'] },
  {
    name: 'who only calls itself ps',
    run: 'cp /bin/acts /srv/ps; /srv/ps aux; true',
    subject: job,
    says: ['Dropped binary', 'Environment of another process read'],
  },
  { name: 'its own environment', run: 'cat /proc/self/environ; true', says: [] },
  {
    name: 'core_pattern opened to be written',
    run: acts('open-to-write', '/proc/sys/kernel/core_pattern'),
    says: ['Way out of the container written'],
  },
  { name: 'core_pattern read', run: acts('open-to-read', '/proc/sys/kernel/core_pattern'), says: [] },
  {
    name: 'a release_agent opened to be written',
    run: 'touch /sys/fs/cgroup/x/release_agent; acts open-to-write /sys/fs/cgroup/x/release_agent',
    says: ['Way out of the container written'],
  },
  {
    name: "the kernel's log as a device",
    run: 'mknod /dev/kmsg c 1 11; acts open-to-read /dev/kmsg',
    says: ['Device made', 'Device of the host opened'],
  },
  {
    name: 'devices that everybody has, and a file by the name of a disk elsewhere',
    run: 'mkdir -p /srv/dev; touch /srv/dev/sda /srv/kmsg; acts open-to-write /srv/dev/sda; acts open-to-read /srv/kmsg; mknod /dev/zero c 1 5; acts open-to-read /dev/zero',
    says: [],
  },
  { name: "a disk's device made", run: 'mknod /srv/disk b 8 0; true', says: ['Device made'] },
  { name: 'a pipe and a usual device made', run: 'mknod /srv/pipe p; mknod /srv/null c 1 3; true', says: [] },
  {
    name: 'capabilities given to a file',
    run: 'touch /srv/x; acts attribute /srv/x security.capability; true',
    says: ['Capability given to a file'],
  },
  { name: 'another attribute of a file', run: 'touch /srv/x; acts attribute /srv/x trusted.note; acts attribute /srv/x user.note; true', says: [] },
  { name: 'a device that everybody has', run: 'mknod /dev/null c 1 3; acts open-to-write /dev/null', says: [] },
  { name: 'a setuid bit', run: 'touch /srv/x; chmod 4755 /srv/x', says: ['Setuid bit set'] },
  { name: 'an ordinary mode', run: 'touch /srv/x; chmod 755 /srv/x', says: [] },
  { name: 'a log of logins removed', run: 'rm /var/log/wtmp', says: ['Log or history removed'] },
  { name: 'a history emptied', run: acts('empty', '/root/.bash_history'), says: ['Log or history removed'] },
  { name: 'a log of logins shortened', run: acts('shorten', '/var/log/wtmp'), says: ['Log or history removed'] },
  { name: "an application's own log shortened", run: acts('shorten', '/var/log/app.log'), says: [] },
  { name: "an application's own log removed", run: 'rm /var/log/app.log; logrotate empty /var/log/wtmp', says: [] },
  {
    name: 'downloaded, made executable, run',
    run: 'wget --help 2>/dev/null; cp /bin/acts /srv/x; chmod +x /srv/x; /srv/x nothing; true',
    subject: job,
    says: ['Downloaded, made executable, run', 'Dropped binary'],
  },
  {
    name: 'downloaded, made executable, and another one run',
    run: 'wget --help 2>/dev/null; touch /srv/x; chmod +x /srv/x; acts nothing',
    subject: job,
    says: [],
  },
  {
    name: 'made executable and run, then something is downloaded',
    run: 'touch /srv/y; cp /bin/acts /srv/x; chmod +x /srv/x; /srv/x nothing; wget --help 2>/dev/null; true',
    subject: job,
    says: ['Dropped binary'],
  },

  { name: 'a mount', run: 'mount -t tmpfs x /srv; true', says: ['Mount in a workload'] },
  { name: 'a mount of one that may', run: 'mount -t tmpfs x /srv; true', subject: { privileged: true }, says: [] },
  { name: 'a namespace made', run: acts('share-nothing'), says: ['Namespace entered or made'] },
  { name: 'a namespace entered', run: acts('enter'), says: ['Namespace entered or made'] },
  { name: 'less shared, and no namespace', run: acts('share-less'), says: [] },
  { name: 'a sandbox of the image', run: ['/usr/bin/bwrap', 'share-nothing'], says: [] },
  { name: 'a process that is traced', run: acts('attach'), says: ['Other process controlled'] },
  { name: 'a process that is written to', run: acts('inject'), says: ['Other process controlled'] },
  { name: 'memory of another process read', run: acts('peek'), says: ['Memory or files of another process taken'] },
  { name: 'memory of another process opened', run: acts('read-memory'), says: ['Memory or files of another process taken'] },
  { name: 'an open file of another process taken', run: acts('take-file'), says: ['Memory or files of another process taken'] },
  { name: 'a debugger in a job that reads', run: ['/usr/bin/gdb', 'peek'], subject: job, says: [] },
  { name: 'its own memory opened', run: acts('open-to-read', '/proc/self/mem'), says: [] },
  { name: 'a debugger in a job', run: ['/usr/bin/gdb', 'attach'], subject: job, says: [] },
  { name: 'a process that lets itself be traced', run: acts('traced'), says: [] },
  { name: 'a module', run: acts('module'), says: ['Kernel module or program loaded'] },
  { name: 'a program for the kernel', run: acts('bpf-load'), says: ['Kernel module or program loaded'] },
  { name: 'a question to eBPF', run: acts('bpf-ask'), says: [] },
  { name: 'a ring', run: acts('rings'), says: ['io_uring used'] },
  { name: 'no ring', run: acts('nothing'), says: [] },
  { name: 'a file by its handle', run: acts('handle', '/etc/hostname'), says: ['File opened past all folders'] },
  { name: 'a handle that is asked for and not opened', run: acts('handle-only', '/etc/hostname'), says: [] },
]

describe('what rules say of what is done', { skip: whyNot() }, () => {
  let stage: Stage
  before(async () => {
    stage = await openStage()
  })
  after(() => stage?.[Symbol.asyncDispose]())

  for (const { name, says, ...scene } of cases) {
    test(name, async () => {
      const { rules, detections } = await stage.play(scene)
      assert.deepEqual(rules, says, detections.map(({ output }) => output).join('\n'))
    })
  }
})
