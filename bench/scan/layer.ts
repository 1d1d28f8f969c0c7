/**
 * A layer as real images have them: 50,000 files of 200 MB in all. A quarter of the bytes are programs and libraries of this machine's own Debian packages, with
 * their package database; the rest are the files of this repository's npm packages (JavaScript, JSON, type declarations, text), which the lock file pins.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const repository = resolve(import.meta.dirname, '../..')
export const files = 50_000
export const bytes = 200_000_000
const programBytes = bytes / 4
const largest = 20_000_000

export interface Made {
  readonly root: string
  /** tar.gz. */
  readonly archive: string
  readonly files: number
  readonly bytes: number
}

const programs = (): string[] => {
  const folders = ['/usr/bin', '/usr/sbin', '/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu']
  return folders.flatMap(folder => {
    try {
      return readdirSync(folder).map(name => join(folder, name))
    } catch {
      return []
    }
  })
}

const regular = (path: string): number => {
  const found = lstatSync(path)
  return found.isFile() ? found.size : -1
}

/** Into `folder`, which is empty. */
export const makeLayer = (folder: string): Made => {
  const root = join(folder, 'root')
  mkdirSync(join(root, 'var/lib/dpkg'), { recursive: true })
  mkdirSync(join(root, 'usr/lib'), { recursive: true })
  for (const path of ['var/lib/dpkg/status', 'usr/lib/os-release']) cpSync(join('/', path), join(root, path))
  let count = 2
  let sum = statSync(join(root, 'var/lib/dpkg/status')).size
  const copy = (from: string, to: string, size: number): void => {
    mkdirSync(dirname(to), { recursive: true })
    copyFileSync(from, to)
    count++
    sum += size
  }
  for (const path of programs()) {
    const size = regular(path)
    if (size > 0 && size < largest && sum + size < programBytes) copy(path, join(root, path), size)
  }
  const packages = join(repository, 'node_modules')
  const texts = readdirSync(packages, { recursive: true, encoding: 'utf8' })
    .sort()
    .map(name => ({ name, size: regular(join(packages, name)) }))
    .filter(({ size }) => size >= 0)
  // As small as it takes for so many files to be so many bytes.
  const mean = (bytes - sum) / (files - count)
  const bySize = texts.toSorted((left, right) => left.size - right.size)
  let kept = 0
  let total = 0
  for (const { size } of bySize) {
    if (kept > 0 && (total + size) / (kept + 1) > mean) break
    kept++
    total += size
  }
  const chosen = new Set(bySize.slice(0, kept))
  for (let project = 0; count < files; project++) {
    for (const text of texts) {
      if (!chosen.has(text) || count >= files) continue
      copy(join(packages, text.name), join(root, `srv/project-${project}/node_modules`, text.name), text.size)
    }
  }
  const archive = join(folder, 'layer.tar.gz')
  const tar = `tar --create --directory ${root} --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner . | gzip -6 > ${archive}`
  const { status, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', tar], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`the layer cannot be made: ${stderr}`)
  return { root, archive, files: count, bytes: sum }
}
