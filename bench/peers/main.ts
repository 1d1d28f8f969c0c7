/**
 * Measures the peers. Runs in mount and network namespaces of its own, so that nothing of theirs (bridges, rules, mounts) is the host's:
 *
 *     unshare --mount --net node bench/peers/main.ts FOLDER ROOT-TAR EFFORT     prints the rows as JSON on its last line
 */
import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Row } from '../row.ts'
import { measureRow } from '../row.ts'
import type { Absent, Subject } from '../subject.ts'
import { must } from './bundle.ts'
import { containerd } from './containerd.ts'
import { docker } from './docker.ts'
import { podman } from './podman.ts'
import { runtimes } from './runtimes.ts'

const [folder, rootTar, effortText] = z.tuple([z.string(), z.string(), z.string()]).parse(process.argv.slice(2))
const effort = z.object({ runs: z.int(), counts: z.array(z.int()), idle: z.int() }).parse(JSON.parse(effortText))

const cgroups = '/sys/fs/cgroup'
const unified = join(cgroups, 'unified')

must('ip', ['link', 'set', 'lo', 'up'])
// crun refuses a hybrid host, and the others are measured under the same conditions. In this mount namespace only.
// The empty file system in its place takes what crun writes there all the same.
if (existsSync(unified)) {
  must('umount', ['--lazy', unified])
  must('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', unified])
}

const failed =
  (name: string) =>
  (error: unknown): Absent => ({ name, absent: `failed: ${error instanceof Error ? error.message : String(error)}` })

const makers: readonly (() => Promise<(Subject | Absent)[]>)[] = [
  async () => runtimes(folder, rootTar),
  async () => [await containerd(join(folder, 'containerd'), rootTar).catch(failed('ctr run'))],
  async () => [await podman(join(folder, 'podman'), rootTar).catch(failed('podman run'))],
  async () => [await docker(join(folder, 'docker'), rootTar).catch(failed('docker run'))],
]

const rows: Row[] = []
for (const make of makers) for (const subject of await make()) rows.push(await measureRow(subject, effort))

/** What the peers leave of the groups that they were told to use, deepest first. */
const removeGroups = (path: string): void => {
  for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) removeGroups(join(path, entry.name))
  rmdirSync(path)
}
for (const hierarchy of ['', ...readdirSync(cgroups).filter(name => name !== 'unified')]) {
  const group = join(cgroups, hierarchy, 'dayfly-bench')
  if (existsSync(group)) removeGroups(group)
}

console.log(JSON.stringify(rows))
