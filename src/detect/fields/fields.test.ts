import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { contextOf, noon, processOf } from '../../../test/detect/context.ts'
import { kernelEventTypes } from '../../model/kernel-event.ts'
import type { EventContext } from './context.ts'
import { eventName, eventNames, isEventName } from './event-names.ts'
import type { Value } from './field.ts'
import { bindField, findField } from './find.ts'
import { nodeNames } from './kernel-names.ts'
import { fieldsDocument, fieldTable } from './table.ts'

const read = (written: string, context: EventContext): Value | undefined => {
  const [, name = '', argument] = /^([^[]+)(?:\[(.*)\])?$/.exec(written) ?? []
  const found = findField(fieldTable, name, argument)
  assert.ok(found, written)
  return bindField(found.field, found.argument).read(context)
}
const reads = (context: EventContext, expected: Readonly<Record<string, Value | undefined>>): void => {
  for (const [name, value] of Object.entries(expected)) assert.deepEqual(read(name, context), value, name)
}

describe('the table of fields', () => {
  it('is the one of docs/rules.md', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../docs/rules.md'), 'utf8')
    assert.ok(text.includes(fieldsDocument()), 'run `make docs`')
  })

  it('says of each field what it is, or why it is not known', () => {
    for (const { name, doc, lacking } of fieldTable.values()) assert.ok(lacking === undefined ? doc !== '' : lacking !== '', name)
  })

  it('has a value of its type, or none, for every kind of event', () => {
    const types: Readonly<Record<string, string>> = { string: 'string', boolean: 'boolean', address: 'string', network: 'string', bytes: 'object' }
    const socket = { family: 'inet', protocol: 6, localAddress: '10.0.0.2', localPort: 1, remoteAddress: '1.1.1.1', remotePort: 80 } as const
    for (const type of kernelEventTypes) {
      const context = contextOf({
        type,
        path: '/a/b',
        target: '/c',
        fd: 3,
        socket,
        numbers: [1, 2, 3],
        openFlags: 2,
        mode: 0o755,
        detail: 'x',
        mountFlags: 1,
        capabilities: 'ff',
      })
      for (const field of fieldTable.values()) {
        const argument =
          field.argument?.need !== 'required'
            ? undefined
            : field.name === 'evt.type.is'
              ? 'open'
              : field.argument.kind === 'index' || field.name.startsWith('evt.')
                ? '0'
                : 'team'
        const { read: reader, holds } = bindField(field, argument)
        const value = reader(context)
        if (value === undefined) continue
        assert.equal(field.lacking, undefined, field.name)
        assert.equal(Array.isArray(value), holds !== 'one', field.name)
        const [scalar] = Array.isArray(value) ? value : [value]
        assert.equal(typeof scalar, types[field.type] ?? 'number', `${field.name} of ${type}`)
      }
    }
  })

  it('refuses arguments that mean nothing, in words', () => {
    const fault = (name: string, argument?: string): string => {
      const found = findField(fieldTable, name, argument)
      try {
        if (found) bindField(found.field, found.argument)
      } catch (error) {
        if (error instanceof RangeError) return error.message
      }
      return 'none'
    }
    assert.match(fault('proc.name', '1'), /takes no argument/)
    assert.match(fault('evt.arg'), /needs an argument/)
    assert.match(fault('proc.aname', 'x'), /takes a number/)
    assert.match(fault('evt.arg.nosuch'), /no event of Dayfly has an argument nosuch/)
    assert.match(fault('evt.type.is.nosuch'), /no event type nosuch/)
    assert.match(fault('evt.abspath.foo'), /src, dst or nothing/)
    assert.equal(findField(fieldTable, 'proc.nosuch', undefined), undefined)
    assert.equal(findField(fieldTable, 'proc.name.x', undefined), undefined)
  })
})

describe('names of events', () => {
  it("are Falco's, of the system call where it is one of the event's", () => {
    const known: readonly (readonly [Parameters<typeof eventName>[0], string])[] = [
      [{ type: 'exec' }, 'execve'],
      [{ type: 'fork' }, 'clone'],
      [{ type: 'exit' }, 'procexit'],
      [{ type: 'open', syscall: 'openat2' }, 'openat2'],
      [{ type: 'open', syscall: 'io_uring' }, 'openat'],
      [{ type: 'dup', syscall: 'fcntl' }, 'dup'],
      [{ type: 'chown', syscall: 'chown32' }, 'chown'],
      [{ type: 'setuid', syscall: 'setresuid16' }, 'setresuid'],
      [{ type: 'unlink', syscall: 'rmdir' }, 'rmdir'],
      [{ type: 'dns' }, 'dns'],
    ]
    for (const [event, name] of known) assert.equal(eventName(event), name)
    for (const type of kernelEventTypes) assert.ok(eventNames.has(eventName({ type })), type)
    for (const name of eventNames) assert.ok(isEventName(name), name)
    assert.deepEqual(['read', 'switch', 'nosuch', 'toString'].map(isEventName), [true, true, false, false])
  })
})

describe('fields of processes', () => {
  const parents = processOf({
    name: 'nginx',
    exe: 'nginx: master',
    args: ['-g'],
    pid: 2,
    vpid: 1,
    session: 1,
    group: 1,
    startedAt: noon - 5000,
    parent: processOf({ name: 'init', vpid: 99, session: 50 }),
  })
  const context = contextOf({ type: 'exec', capabilities: '3' }, { parent: parents, args: ['-c', 'id'], parentPid: 2 })

  it('are of itself, its parent, and its ancestors', () => {
    reads(context, {
      ...{
        'proc.name': 'sh',
        'proc.pname': 'nginx',
        'proc.aname[0]': 'sh',
        'proc.aname[1]': 'nginx',
        'proc.aname[2]': 'init',
        'proc.aname[3]': undefined,
      },
      ...{
        'proc.aname': ['nginx', 'init'],
        'proc.apid[1]': 2,
        'proc.args': '-c id',
        'proc.args[1]': 'id',
        'proc.args[2]': undefined,
        'proc.cmdline': 'sh -c id',
      },
      ...{
        'proc.pcmdline': 'nginx -g',
        'proc.exeline': 'sh -c id',
        'proc.acmdline[1]': 'nginx -g',
        'proc.cmdnargs': 2,
        'proc.cmdlenargs': 4,
        'proc.pexe': 'nginx: master',
      },
      ...{ 'proc.duration': 1_000_000_000, 'proc.ppid.duration': 5_000_000_000, 'proc.pid.ts': (noon - 1000) * 1e6, 'proc.ppid': 2, 'proc.pvpid': 1 },
      ...{
        'proc.sname': 'nginx',
        'proc.is_sid_leader': false,
        'proc.is_vpgid_leader': true,
        'proc.vpgid.name': 'sh',
        'thread.cap_effective': 'CAP_CHOWN CAP_DAC_OVERRIDE',
      },
    })
    reads(contextOf({ type: 'exec' }, { startedAt: undefined, session: undefined, group: undefined }), {
      ...{
        'proc.pname': undefined,
        'proc.aname': undefined,
        'proc.duration': undefined,
        'proc.sname': undefined,
        'proc.is_sid_leader': undefined,
        'proc.cmdline': 'sh',
      },
    })
  })

  it('do not follow ancestors for ever', () => {
    let process = processOf({ name: 'p' })
    for (let level = 0; level < 5000; level++) process = processOf({ name: 'p', parent: process })
    assert.equal((read('proc.aname', contextOf({ type: 'exec' }, { parent: process })) as readonly string[]).length, 64)
  })
})

describe('fields of files and sockets', () => {
  it('are of files that were opened', () => {
    reads(contextOf({ type: 'open', syscall: 'openat', path: '../etc//passwd', openFlags: 0o102, mode: 0o755, result: 5 }), {
      ...{
        'fd.num': 5,
        'fd.name': '/etc/passwd',
        'fd.nameraw': '../etc/passwd',
        'fd.directory': '/etc',
        'fd.filename': 'passwd',
        'fd.type': 'file',
        'fd.typechar': 'f',
      },
      ...{
        'evt.is_open_read': true,
        'evt.is_open_write': true,
        'evt.is_open_create': true,
        'evt.is_open_exec': true,
        'evt.arg.flags': 'O_CREAT|O_RDWR|O_F_CREATED',
      },
      ...{
        'evt.res': 'SUCCESS',
        'evt.rawres': 5,
        'evt.failed': false,
        'fs.path.name': '/etc/passwd',
        'fs.path.nameraw': '../etc//passwd',
        'evt.arg.name': '../etc//passwd',
      },
    })
    reads(contextOf({ type: 'open', path: '/etc/shadow', result: -13 }), {
      ...{
        'fd.num': -1,
        'fd.name': '/etc/shadow',
        'evt.res': 'EACCES',
        'evt.failed': true,
        'evt.arg.fd': 'EACCES',
        'fs.path.name': undefined,
        'evt.is_open_write': false,
      },
    })
    reads(contextOf({ type: 'open', path: '/', openFlags: 0o200000, result: 3 }), {
      'fd.type': 'directory',
      'fd.directory': '/',
      'fd.filename': undefined,
    })
    reads(contextOf({ type: 'exec' }), { 'fd.name': undefined, 'fd.num': undefined, 'fd.type': undefined, 'evt.is_open_read': false })
  })

  it('have both sides of a connection, seen from either', () => {
    const socket = {
      family: 'inet6',
      protocol: 17,
      localAddress: '::ffff:10.0.0.2',
      localPort: 4444,
      remoteAddress: '::ffff:1.2.3.4',
      remotePort: 53,
    } as const
    reads(contextOf({ type: 'connect', fd: 4, socket }), {
      ...{
        'fd.name': '10.0.0.2:4444->1.2.3.4:53',
        'fd.type': 'ipv4',
        'fd.typechar': '4',
        'fd.cip': '10.0.0.2',
        'fd.sip': '1.2.3.4',
        'fd.sport': 53,
        'fd.lport': 4444,
        'fd.rip': '1.2.3.4',
      },
      ...{
        'fd.ip': ['10.0.0.2', '1.2.3.4'],
        'fd.port': [4444, 53],
        'fd.l4proto': 'udp',
        'fd.sockfamily': 'ip',
        'fd.is_server': false,
        'fd.connected': true,
        'evt.arg.tuple': '10.0.0.2:4444->1.2.3.4:53',
      },
    })
    reads(
      contextOf({
        type: 'accept',
        result: 7,
        socket: { family: 'inet6', protocol: 6, localAddress: '2001:db8::2', localPort: 80, remoteAddress: '2001:db8::9', remotePort: 5000 },
      }),
      {
        ...{
          'fd.num': 7,
          'fd.cip': '2001:db8::9',
          'fd.sip': '2001:db8::2',
          'fd.sport': 80,
          'fd.is_server': true,
          'fd.type': 'ipv6',
          'fd.name': '2001:db8::9:5000->2001:db8::2:80',
        },
      },
    )
    reads(contextOf({ type: 'bind', fd: 3, socket: { family: 'inet', protocol: 6, localAddress: '0.0.0.0', localPort: 80 } }), {
      'fd.sip': '0.0.0.0',
      'fd.sport': 80,
      'fd.cip': undefined,
      'fd.rip': undefined,
    })
    reads(contextOf({ type: 'connect', fd: 3, socket: { family: 'unix', protocol: 0, remoteAddress: '/run/docker.sock' } }), {
      ...{
        'fd.name': '/run/docker.sock',
        'fd.type': 'unix',
        'fd.typechar': 'u',
        'fd.sip': undefined,
        'fd.l4proto': undefined,
        'fd.sockfamily': 'unix',
      },
    })
    reads(
      { ...contextOf({ type: 'connect', socket }), namesOf: address => (address === '1.2.3.4' ? ['a.example', 'b.example'] : []) },
      { 'fd.sip.name': ['a.example', 'b.example'], 'fd.cip.name': undefined },
    )
  })

  it("call a link's ends as Falco does", () => {
    reads(contextOf({ type: 'symlink', path: '/etc/shadow', target: 'x' }), {
      'fs.path.target': '/etc/shadow',
      'fs.path.source': '/srv/x',
      'fs.path.sourceraw': 'x',
      'evt.arg.target': '/etc/shadow',
      'evt.arg.linkpath': 'x',
    })
    reads(contextOf({ type: 'link', path: '/etc/shadow', target: '/x' }), {
      'fs.path.target': '/etc/shadow',
      'fs.path.source': '/x',
      'evt.arg.oldpath': '/etc/shadow',
    })
    reads(contextOf({ type: 'rename', path: '/a', target: '/b' }), { 'fs.path.source': '/a', 'fs.path.target': '/b', 'fs.path.name': undefined })
    reads(contextOf({ type: 'mount', path: 'proc', target: '/mnt', detail: 'proc', mountFlags: 4097 }), {
      'fs.path.source': 'proc',
      'fs.path.target': '/mnt',
      'evt.arg.flags': 'RDONLY|BIND',
      'evt.arg.type': 'proc',
    })
    reads(contextOf({ type: 'rename', path: '/a', target: '/b', result: -13 }), { 'fs.path.source': undefined })
  })
})

describe('arguments of events', () => {
  it('are written by their names', () => {
    reads(contextOf({ type: 'ptrace', numbers: [16902, 9], targetPid: 9 }), {
      'evt.arg.request': 'PTRACE_SEIZE',
      'evt.rawarg.request': 16902,
      'evt.arg.pid': '9',
      'evt.arg[1]': 'PTRACE_SEIZE',
      'evt.arg[9]': undefined,
    })
    reads(contextOf({ type: 'chmod', syscall: 'fchmodat', path: '/x', mode: 0o4755 }), {
      'evt.arg.mode': 'S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID',
      'evt.rawarg.mode': 0o4755,
    })
    reads(contextOf({ type: 'unshare', numbers: [0x10020000] }), { 'evt.arg.flags': 'CLONE_NEWNS|CLONE_NEWUSER' })
    reads(contextOf({ type: 'socket', numbers: [17, 3, 768] }), { 'evt.arg.domain': 'AF_PACKET', 'evt.arg.type': '3' })
    reads(contextOf({ type: 'kill', numbers: [5, 9], targetPid: 5 }), { 'evt.arg.sig': 'SIGKILL', 'evt.arg.pid': '5' })
    reads(contextOf({ type: 'bpf', numbers: [5] }), { 'evt.arg.cmd': 'BPF_PROG_LOAD' })
    reads(contextOf({ type: 'exit', result: 256 + 9 }), {
      'evt.arg.ret': '1',
      'evt.arg.sig': 'SIGKILL',
      'evt.rawres': undefined,
      'evt.res': undefined,
    })
    reads(contextOf({ type: 'setuid', syscall: 'setresuid', numbers: [0, 1, 2] }), { 'evt.args': 'res=SUCCESS ruid=0 euid=1 suid=2' })
    reads(contextOf({ type: 'dns', path: 'a.example', detail: '1.2.3.4' }), {
      'evt.args': 'name=a.example answers=1.2.3.4',
      'syscall.type': undefined,
      'evt.category': 'net',
    })
  })
})

describe('fields of containers and users', () => {
  it('say whose it is', () => {
    reads(contextOf({ type: 'exec', euid: 75_536, gid: 75_537 }, {}, { userIds: { first: 10_000, each: 65_536 } }), {
      ...{
        'container.id': 'i1',
        'container.name': 'web',
        'container.image.repository': 'registry.example:5000/team/web',
        'container.image.tag': '1.2',
      },
      ...{
        'container.image.digest': `sha256:${'ab'.repeat(32)}`,
        'container.image.id': 'ab'.repeat(32),
        'container.privileged': false,
        'container.duration': 60_000_000_000,
      },
      ...{
        'k8s.pod.name': 'web',
        'k8s.ns.name': 'shop',
        'container.label[team]': 'red',
        'k8s.pod.label.team': 'red',
        'container.label[toString]': undefined,
      },
      ...{ 'user.uid': 0, 'user.name': 'root', 'group.gid': 1, 'group.name': undefined, 'proc.is_container_healthcheck': false },
    })
    reads(contextOf({ type: 'exec' }, {}, { imageName: 'busybox' }), {
      'container.image.repository': 'busybox',
      'container.image.tag': undefined,
      'user.uid': 1000,
      'user.name': undefined,
    })
    reads(contextOf({ type: 'exec', euid: 0 }, {}, { userIds: { first: 10_000, each: 65_536 } }), { 'user.uid': 0 })
  })
})

it('a node has its kind beside its mode, and a device its two numbers', () => {
  assert.deepEqual(
    [0o010644, 0o020600, 0o060660, 0o100400, 0o400].map(mode => nodeNames(mode).split('|')[0]),
    ['S_IFIFO', 'S_IFCHR', 'S_IFBLK', 'S_IFREG', 'S_IFREG'],
  )
  assert.equal(nodeNames(0o020600), 'S_IFCHR|S_IWUSR|S_IRUSR')
})
