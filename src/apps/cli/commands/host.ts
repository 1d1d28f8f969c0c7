import { setTimeout as sleep } from 'node:timers/promises'
import type { HostView } from '../../../api/schemas/host.ts'
import { formatBytes } from '../../../base/bytes.ts'
import type { Command } from '../command.ts'
import type { Paint } from '../output.ts'
import { painter, printable, relative, table } from '../output.ts'

const bytes = (count: number): string => formatBytes(Math.round(count))
const percent = (share: number): string => `${Math.round(share * 100)}%`

const capacityText = ({ name, capacity, inventory }: HostView, now: number): string => {
  const { cpus, memory, disks, pids, promised } = capacity
  return [
    `host       ${printable(name)}: ${printable(inventory.os.name)}, Linux ${printable(inventory.kernel.release)}, booted ${relative(inventory.bootedAt, now)}`,
    `processor  ${cpus.count} cores, load ${cpus.load.map(value => value.toFixed(2)).join(' ')}; ${promised.cpus} promised (${percent(promised.cpus / cpus.count)})`,
    `memory     ${bytes(memory.available)} of ${bytes(memory.total)} available; ${bytes(promised.memory)} promised (${percent(promised.memory / memory.total)})`,
    ...disks.map(({ path, of, size, free }) => `disk       ${bytes(free)} of ${bytes(size)} free at ${printable(path)}: ${of}`),
    `threads    ${pids.now} of ${pids.most}`,
    `instances  ${promised.instances} in ${promised.environments} environments`,
    '',
  ].join('\n')
}

const inventoryText = ({ inventory }: HostView, paint: Paint): string => {
  const { source, users, listeners, disks, packages, problems } = inventory
  return [
    paint('dim', `told by ${source === 'osquery' ? 'osquery' : "the system's own files"}; ${packages} packages\n`),
    ...problems.map(problem => `${printable(problem)}\n`),
    table(
      ['LISTENER', 'ADDRESS', 'REACHED FROM', 'PROCESS'],
      listeners.map(({ protocol, address, port, process, pid, reach }) => [
        `${port}/${protocol}`,
        printable(address),
        reach,
        process === null ? '-' : printable(`${process}[${pid}]`),
      ]),
      paint,
    ),
    '\n',
    table(
      ['USER', 'NUMBER', 'SHELL'],
      users.filter(({ login }) => login).map(({ name, uid, shell }) => [printable(name), String(uid), printable(shell)]),
      paint,
    ),
    '\n',
    table(
      ['DISK', 'TYPE', 'SIZE', 'ENCRYPTED', 'MOUNTED AT'],
      disks.map(({ name, type, size, encrypted, mount }) => [
        printable(name),
        printable(type),
        size === null ? '-' : bytes(size),
        encrypted ? 'yes' : 'no',
        printable(mount ?? '-'),
      ]),
      paint,
    ),
  ].join('')
}

const patchesText = ({ patches }: HostView, now: number, paint: Paint): string => {
  if (patches === null) return 'they are being found out: ask again\n'
  const { updates, worst, vulnerabilities, listsFrom, problems } = patches
  const lists = listsFrom === null ? "apt's lists were never fetched" : `apt's lists are of ${relative(listsFrom, now)}`
  return [
    ...problems.map(problem => `${printable(problem)}\n`),
    `${updates.length} updates, ${updates.filter(({ security }) => security).length} of them of security; ${lists}\n`,
    updates.length === 0
      ? ''
      : table(
          ['PACKAGE', 'INSTALLED', 'WOULD BE', ''],
          updates.map(({ name, installed, candidate, security }) => [
            ...[name, installed, candidate].map(printable),
            security ? paint('red', 'security') : '',
          ]),
          paint,
        ),
    vulnerabilities === null
      ? 'there is no vulnerability data about this system: dayfly vulndb update\n'
      : `vulnerabilities: ${Object.entries(vulnerabilities)
          .map(([severity, count]) => `${count} ${severity}`)
          .join(', ')}\n`,
    worst.length === 0
      ? ''
      : table(
          ['SEVERITY', 'VULNERABILITY', 'PACKAGE', 'FIXED IN'],
          worst.map(({ id, severity, exploited, package: of, version, fixed }) => [
            exploited ? paint('red', 'exploited') : severity,
            printable(id),
            printable(`${of} ${version}`),
            printable(fixed ?? '-'),
          ]),
          paint,
        ),
  ].join('')
}

export const command: Command = {
  name: 'host',
  takes: [],
  summary: 'Show what this host has, what is promised of it, and what is on it.',
  details: [
    'By osquery where it is installed, otherwise from the files of a Debian system. Nothing is fetched. Whether the host is sound says `dayfly doctor`.',
  ],
  options: [
    { name: 'inventory', help: 'Users who can log in, listeners and disks.' },
    { name: 'patches', help: 'Updates that apt would install, and vulnerabilities of its packages.' },
    { name: 'fresh', help: 'Look again, not at what was found within the last minutes.' },
  ],
  examples: [
    ['dayfly host', 'is there room'],
    ['dayfly host --patches', 'what is outstanding'],
  ],
  run: async (context, args) => {
    let host = await context.client.host(args.flag('fresh'))
    // apt takes some seconds; what it says is kept for a while then.
    for (let tries = 0; args.flag('patches') && host.patches === null && tries < 60; tries++) {
      await sleep(1_000)
      host = await context.client.host(false)
    }
    const paint = painter(context.colour)
    if (context.json) context.write(`${JSON.stringify(host)}\n`)
    else if (args.flag('inventory')) context.write(inventoryText(host, paint))
    else if (args.flag('patches')) context.write(patchesText(host, Date.now(), paint))
    else context.write(capacityText(host, Date.now()))
    return 0
  },
}
