/** An OCI bundle and an OCI image of the benchmark's root file system, for the peers that take one. */

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { greeting } from '../subject.ts'

/** Runs it, or throws with what it said. */
export const must = (program: string, args: readonly string[]): string => {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} exited with ${status}: ${stderr.trim()}`)
  return stdout
}

const sha256 = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex')

/** A folder with `rootfs` and a `config.json` that runs `args`: the namespaces of `RUNTIME spec`, no network in its namespace. */
export const makeBundle = (folder: string, rootTar: string, args: readonly string[]): string => {
  mkdirSync(join(folder, 'rootfs'), { recursive: true })
  must('tar', ['-C', join(folder, 'rootfs'), '-xf', rootTar])
  writeFileSync(join(folder, 'config.json'), JSON.stringify(bundleConfig(args)))
  return folder
}

const bundleConfig = (args: readonly string[]): object => ({
  ociVersion: '1.0.2',
  process: { user: { uid: 0, gid: 0 }, args, cwd: '/', env: ['PATH=/bin:/usr/bin'], noNewPrivileges: true, capabilities: {} },
  root: { path: 'rootfs', readonly: true },
  hostname: 'bench',
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
    { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev'] },
  ],
  linux: { namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map(type => ({ type })) },
})

export const echo = ['/bin/echo', greeting] as const
export const idleCommand = ['/bin/sleep', '3600'] as const

/** An `oci-archive` tar of an image with the root file system as its only layer. */
export const makeImageArchive = (folder: string, rootTar: string, reference: string): string => {
  const layout = join(folder, 'layout')
  const blobs = join(layout, 'blobs/sha256')
  mkdirSync(blobs, { recursive: true })
  const layer = readFileSync(rootTar)
  const put = (content: string): { digest: string; size: number } => {
    writeFileSync(join(blobs, sha256(content)), content)
    return { digest: `sha256:${sha256(content)}`, size: Buffer.byteLength(content) }
  }
  copyFileSync(rootTar, join(blobs, sha256(layer)))
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64'
  const config = put(
    JSON.stringify({ architecture, os: 'linux', config: { Cmd: echo }, rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] } }),
  )
  const manifest = put(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: `sha256:${sha256(layer)}`, size: layer.length }],
    }),
  )
  const entry = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    ...manifest,
    annotations: { 'org.opencontainers.image.ref.name': reference },
  }
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  const archive = join(folder, 'image.tar')
  must('tar', ['-C', layout, '-cf', archive, 'oci-layout', 'index.json', 'blobs'])
  return archive
}
