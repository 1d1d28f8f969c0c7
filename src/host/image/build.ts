/**
 * Images from Dockerfiles, by buildah: in user, mount, pid and network namespaces of its own (build-space.ts), as ids that are nobody's on this host. What it
 * makes is an archive, which the image store takes in as it takes in any other: it verifies every digest and unpacks by its own rules.
 *
 * `<folder>/storage` holds buildah's layers, so that a step that was built before is not built again. It is emptied by `clear` (`dayfly image gc`), and after a
 * build when it has grown beyond `maximumCache`. `<folder>/work` is the build that is under way: there is one at a time.
 */
import { chown, lstat, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { formatBytes } from '../../base/bytes.ts'
import { formatDuration } from '../../base/durations.ts'
import { DayflyError, errnoOf, messageOf } from '../../base/errors.ts'
import type { BuildGroup, BuildLimits } from './build-group.ts'
import type { BuildSpace } from './build-space.ts'
import { folderInSpace, openBuildSpace } from './build-space.ts'
import { hexOf } from './digest.ts'
import { imagesOf } from './dockerfile.ts'
import { makeFolder, removeTree } from './durable.ts'
import { exportImage } from './export.ts'
import { lockFile } from './lock.ts'
import { run } from './process.ts'
import { normaliseName } from './reference.ts'
import type { Image, ImageProgress, ImageStore } from './store.ts'

export interface BuildOptions {
  readonly name: string
  /** Further names. */
  readonly tags: readonly string[]
  /** An absolute folder, read with this process's rights. */
  readonly context: string
  /** `path` is relative to the context. */
  readonly dockerfile: { readonly path: string } | { readonly text: string }
  readonly args: Readonly<Record<string, string>>
  readonly target: string | undefined
  readonly labels: Readonly<Record<string, string>>
  /** By name: an absolute folder, or an image as `docker://NAME`. */
  readonly contexts: Readonly<Record<string, string>>
  /** Further lines of /etc/hosts: addresses by name. */
  readonly hosts: Readonly<Record<string, readonly string[]>>
  /** By id, for `RUN --mount=type=secret`. */
  readonly secrets: ReadonlyMap<string, Uint8Array>
  /** Of RUN steps. */
  readonly network: 'none' | 'host'
  /** Fetch base images anew. */
  readonly pull: boolean
  /** Use steps of earlier builds. */
  readonly cache: boolean
  /** Of RUN steps, by name as setrlimit has it: `nofile`. -1 is unlimited. */
  readonly ulimits: Readonly<Record<string, { readonly soft: number; readonly hard: number }>>
  readonly platform: string | undefined
  /** The text of a registry credentials file. */
  readonly auth: string | undefined
  readonly onLog: (text: string) => void
  readonly onProgress: (progress: ImageProgress) => void
  readonly signal: AbortSignal
}

export interface BuilderOptions {
  /** Made (0700) when missing. */
  readonly folder: string
  /** The first of 65,536 ids of this host that nobody else has. */
  readonly firstId: number
  readonly store: ImageStore
  /** None where it is left out. */
  readonly limits?: BuildLimits | undefined
  /** Bytes; default 10 GiB. */
  readonly maximumCache?: number
}

export interface Builder {
  /**
   * Throws `invalid` when a step fails or the context has no Dockerfile, `timeout` when it takes longer than it may, `not_found` when a base image is not to be had, `host` when buildah is missing or
   * namespaces are refused, `aborted`. The build's output goes to `onLog`.
   */
  build(options: BuildOptions): Promise<Image>
  /** Forgets all steps. Waits for a build that is under way. */
  clear(): Promise<void>
}

const install = 'Install the package buildah.'
const imageContext = 'docker://'
const isImage = (context: string): boolean => context.startsWith(imageContext)
/** What the builder's storage calls what was built last. */
const result = 'localhost/dayfly/built:latest'
const work = `${folderInSpace}/work`
/** Chroot isolation is the one that needs no runtime and no cgroup; a step may not leave its root. */
const isolation = ['--isolation', 'chroot', '--cap-drop', 'CAP_SYS_CHROOT']
const storage = ['--root', `${folderInSpace}/storage`, '--runroot', `${work}/run`, '--storage-driver', 'overlay']

/** Of the caller's environment nothing but where programs are, and proxies, which buildah hands on to steps. */
const environment = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(PATH|(https?|no|all)_proxy)$/i.test(name))),
  HOME: work,
  TMPDIR: `${work}/tmp`,
  XDG_RUNTIME_DIR: `${work}/tmp`,
  CONTAINERS_REGISTRIES_CONF: `${work}/registries.conf`,
  _CONTAINERS_USERNS_CONFIGURED: 'done', // It is in its user namespace already.
  LC_ALL: 'C',
})

const registries = 'unqualified-search-registries = []\n'
/** What comes in has been verified by the store, and goes out to it. */
const policy = JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] })

interface Work {
  readonly options: BuildOptions
  readonly parts: BuilderOptions
  /** On this host. */
  readonly folder: string
}

const checkContext = async (path: string, field: string): Promise<void> => {
  const found = isAbsolute(path) ? await lstat(path).catch(() => undefined) : undefined
  if (found?.isDirectory() !== true)
    throw new DayflyError('invalid', `${field}: ${path} is not a folder of this host`, { field, remedy: 'Name a folder.' })
}

const dockerfileText = async ({ context, dockerfile }: BuildOptions): Promise<string> => {
  if ('text' in dockerfile) return dockerfile.text
  const path = resolve(context, dockerfile.path)
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new DayflyError('invalid', errnoOf(error) === 'ENOENT' ? `dockerfile: ${path} does not exist` : `dockerfile: ${path} cannot be read`, {
      field: 'dockerfile',
      cause: error,
    })
  }
}

/** No id of a build may read what this process may: it gets a copy, whose owner it is. */
const copyInto = async (space: BuildSpace, from: string, to: string, signal: AbortSignal): Promise<void> => {
  let unpacking: Promise<{ code: number | null; stderr: string }> | undefined
  const unpack = (stdin: Readable): void => {
    unpacking = space.run('tar', ['--extract', '--file=-', '--directory', to, '--no-same-owner'], { stdin, env: environment(), signal })
    unpacking.catch(() => {}) // Told below.
    stdin.destroy() // The child has it.
  }
  const args = ['--create', '--file=-', '--owner=0', '--group=0', '--numeric-owner', '--directory', from, '.']
  const packed = await run('tar', args, { signal, onSpawn: unpack, env: { ...process.env, LC_ALL: 'C' } }, 'Install the package tar.')
  const unpacked = await unpacking
  if (packed.code !== 0)
    throw new DayflyError('invalid', `context: ${from} cannot be read: ${packed.stderr.trim().split('\n')[0]}`, { field: 'context' })
  if (unpacked?.code !== 0) throw new DayflyError('host', `the context cannot be copied: ${unpacked?.stderr.trim().split('\n').at(-1)}`)
}

/** A descriptor of a file without a name, in memory, that ids of a build may read. */
const nameless = async (content: Uint8Array | string, owner: number, stack: AsyncDisposableStack): Promise<number> => {
  const path = `/dev/shm/dayfly-build-${process.pid}-${Math.random().toString(36).slice(2)}`
  const file = stack.use(await open(path, 'wx+', 0o600))
  await rm(path)
  await file.chown(owner, owner)
  await file.writeFile(content)
  return file.fd
}

/** What buildah says last of an error, without its own log's wrapping. */
const lastWords = (output: string): string => {
  const lines = output.trim().split('\n')
  const line = lines.findLast(each => /\bError: /.test(each)) ?? lines.at(-1) ?? ''
  return line
    .replace(/^.*\bError: /, '')
    .replaceAll('\\"', '"')
    .slice(0, 500)
}

const buildah = async (
  space: BuildSpace,
  args: readonly string[],
  options: BuildOptions,
  more: { descriptors?: readonly number[]; show?: boolean } = {},
) => {
  let tail = ''
  const listen = (output: Readable): void => {
    const decoder = new TextDecoder()
    output.on('data', (bytes: Buffer) => {
      const text = decoder.decode(bytes, { stream: true })
      tail = (tail + text).slice(-4096)
      if (more.show === true) options.onLog(text)
    })
  }
  const { code } = await space.run(
    'sh',
    ['-c', 'exec "$@" 2>&1', 'sh', 'buildah', ...storage, ...args],
    { env: environment(), onSpawn: listen, descriptors: more.descriptors ?? [], signal: options.signal },
    install,
  )
  return { code, tail }
}

/** What the builder's own storage calls an image of the store. */
const nameInStorage = ({ digest }: Image): string => `localhost/dayfly/${hexOf(digest).slice(0, 32)}:latest`

/** An image that a build begins from, out of the store; from its registry when it is not there. */
const baseImage = async (name: string, { options, parts }: Work): Promise<Image> => {
  const { signal, onProgress, auth } = options
  const fetched = async (): Promise<Image> => {
    options.onLog(`fetching ${name}\n`)
    return await parts.store.pull(name, { signal, onProgress, ...(auth === undefined ? {} : { auth: { content: auth } }) })
  }
  try {
    if (options.pull) return await fetched()
    return await parts.store.get(name).catch(async (error: unknown) => {
      if (error instanceof DayflyError && error.code === 'not_found') return await fetched()
      throw error
    })
  } catch (error) {
    if (!(error instanceof DayflyError) || error.code === 'aborted') throw error
    throw new DayflyError(error.code, `dockerfile: the base image ${name} is not to be had: ${error.message}`, {
      field: 'dockerfile',
      cause: error,
      remedy: error.remedy ?? 'Check its name (`dayfly image ls`).',
    })
  }
}

/** Hands it over where the builder does not have it yet. Its layers become one: the store keeps them unpacked. */
const provide = async (space: BuildSpace, image: Image, { options, parts, folder }: Work): Promise<void> => {
  const known = nameInStorage(image)
  if ((await buildah(space, ['inspect', '--type', 'image', known], options)).code === 0) return
  const layout = `base-${hexOf(image.digest).slice(0, 16)}`
  await exportImage(parts.store.layersFolder, image, join(folder, layout), options.signal)
  await giveAway(join(folder, layout), parts.firstId)
  const pulled = await buildah(space, ['pull', '--quiet', `oci:${work}/${layout}`], options)
  const id = pulled.tail.trim().split('\n').at(-1) ?? ''
  const tagged = pulled.code === 0 ? await buildah(space, ['tag', id, known], options) : pulled
  if (tagged.code !== 0) throw new DayflyError('host', `a base image cannot be handed over to a build: ${lastWords(tagged.tail)}`)
}

/** All of a folder to the ids of a build. */
const giveAway = async (path: string, owner: number): Promise<void> => {
  const { code, stderr } = await run('chown', ['--recursive', '--no-dereference', `${owner}:${owner}`, '--', path])
  if (code !== 0) throw new DayflyError('host', `cannot hand ${path} over to a build: ${stderr.trim()}`)
}

/** `bases`: by the name that the Dockerfile has. They have come already, so nothing is fetched. */
const buildArguments = (options: BuildOptions, bases: ReadonlyMap<string, Image>, secrets: readonly string[]): string[] => [
  'build',
  ...isolation,
  ...(options.cache ? ['--layers'] : ['--no-cache']),
  '--pull-never',
  '--file',
  `${work}/Dockerfile`,
  '--tag',
  result,
  ...Object.entries(options.args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
  ...Object.entries(options.labels).flatMap(([name, value]) => ['--label', `${name}=${value}`]),
  ...Object.entries(options.hosts).flatMap(([name, addresses]) => addresses.flatMap(address => ['--add-host', `${name}:${address}`])),
  ...[...bases].flatMap(([name, image]) => ['--build-context', `${name}=docker-image://${nameInStorage(image)}`]),
  ...Object.keys(options.contexts).flatMap((name, index) => (bases.has(name) ? [] : ['--build-context', `${name}=${work}/contexts/${index}`])),
  ...Object.entries(options.ulimits).flatMap(([name, { soft, hard }]) => ['--ulimit', `${name}=${soft}:${hard}`]),
  ...(options.target === undefined ? [] : ['--target', options.target]),
  ...(options.platform === undefined ? [] : ['--platform', options.platform]),
  ...secrets,
  `${work}/context`,
]

const makeWork = async (folder: string, owner: number, text: string): Promise<void> => {
  await removeTree(folder) // What a build before has left that did not end by itself.
  await mkdir(folder, { mode: 0o700 })
  for (const name of ['run', 'tmp', 'context', 'contexts']) await mkdir(join(folder, name), { mode: 0o700 })
  await writeFile(join(folder, 'Dockerfile'), text)
  await writeFile(join(folder, 'registries.conf'), registries)
  await mkdir(join(folder, '.config/containers'), { recursive: true, mode: 0o700 })
  await writeFile(join(folder, '.config/containers/policy.json'), policy)
  await giveAway(folder, owner)
}

const copyContexts = async (space: BuildSpace, { options, parts, folder }: Work): Promise<void> => {
  await copyInto(space, options.context, `${work}/context`, options.signal)
  for (const [index, [, at]] of Object.entries(options.contexts).entries()) {
    if (isImage(at)) continue
    await mkdir(join(folder, 'contexts', String(index)), { mode: 0o700 })
    await chown(join(folder, 'contexts', String(index)), parts.firstId, parts.firstId)
    await copyInto(space, at, `${work}/contexts/${index}`, options.signal)
  }
}

/** What a build has run into, where that is no fault of a step. */
const limitReached = (group: BuildGroup | undefined, limits: BuildLimits | undefined): string | undefined =>
  group !== undefined && group.oomKills() > 0 ? `a step wanted more than ${formatBytes(limits?.memory ?? 0)} of memory` : undefined

const construct = async (building: Work, text: string): Promise<void> => {
  const { options, parts, folder } = building
  const { signal } = options
  await using stack = new AsyncDisposableStack()
  const bases = new Map<string, Image>()
  for (const name of imagesOf(text, options.args)) if (!Object.hasOwn(options.contexts, name)) bases.set(name, await baseImage(name, building))
  for (const [name, at] of Object.entries(options.contexts))
    if (isImage(at)) bases.set(name, await baseImage(at.slice(imageContext.length), building))

  // Ended after the space, which holds its processes.
  const group = parts.limits === undefined ? undefined : stack.use(await parts.limits.open())
  await using space = await openBuildSpace({ folder: parts.folder, firstId: parts.firstId, network: options.network, group, signal })
  await copyContexts(space, building)
  for (const image of bases.values()) await provide(space, image, building)
  const descriptors: number[] = []
  const secrets: string[] = []
  for (const [id, content] of options.secrets) {
    secrets.push('--secret', `id=${id},src=/proc/self/fd/${3 + descriptors.length}`)
    descriptors.push(await nameless(content, parts.firstId, stack))
  }
  const { code, tail } = await buildah(space, buildArguments(options, bases, secrets), options, { descriptors, show: true })
  const reached = limitReached(group, parts.limits)
  if (code !== 0 && reached !== undefined) {
    throw new DayflyError('exhausted', `build: ${options.name} cannot be built: ${reached}`, {
      field: 'build',
      remedy: 'Let its steps do less at once, or give builds more: dayfly serve --build-limits memory=8g.',
    })
  }
  if (code !== 0) {
    throw new DayflyError('invalid', `build: ${options.name} cannot be built: ${lastWords(tail)}`, {
      field: 'build',
      remedy:
        options.network === 'none'
          ? 'Its output says at which step. Steps have no network unless the build asks for it: network: default.'
          : 'Its output says at which step.',
    })
  }
  // Through the storage, for steps are found again there only: also the last one.
  const archived = await buildah(space, ['push', '--quiet', result, `oci-archive:${work}/image.tar:built`], options)
  if (archived.code !== 0) throw new DayflyError('host', `build: ${options.name} cannot be handed over: ${lastWords(archived.tail)}`)
  const made = await lstat(join(folder, 'image.tar'))
  if (!made.isFile()) throw new DayflyError('corrupt', `build: ${options.name} is no archive`)
}

/** From the archive into the store, under its names and no other. */
const takeIn = async ({ options, parts, folder }: Work): Promise<Image> => {
  const { store } = parts
  const archive = `oci-archive:${join(folder, 'image.tar')}:built`
  const { digest } = await store.pull(archive, { signal: options.signal, onProgress: options.onProgress })
  for (const name of [options.name, ...options.tags]) await store.tag(digest, name)
  await store.remove(archive, new Set())
  return await store.get(digest)
}

/** Its own signal, and that of the time it may take from now on. */
const deadlineOf = ({ name, signal }: BuildOptions, limits: BuildLimits | undefined): AbortSignal => {
  if (limits === undefined) return signal
  const timer = new AbortController()
  const late = new DayflyError('timeout', `build: ${name} took longer than ${formatDuration(limits.timeout)}`, {
    field: 'build',
    remedy: 'Let it do less, or give builds more time: dayfly serve --build-limits timeout=1h.',
  })
  // AbortSignal.timeout would not say what was late.
  AbortSignal.timeout(limits.timeout).addEventListener('abort', () => timer.abort(late), { once: true })
  return AbortSignal.any([signal, timer.signal])
}

export const openBuilder = async (parts: BuilderOptions): Promise<Builder> => {
  const { folder, firstId } = parts
  const maximumCache = parts.maximumCache ?? 10 * 1024 ** 3
  const workFolder = join(folder, 'work')
  const storageFolder = join(folder, 'storage')
  await makeFolder(folder, 0o700)
  const lockPath = `${folder}.lock`
  const empty = async (): Promise<void> => {
    await removeTree(storageFolder)
  }
  const trim = async (): Promise<void> => {
    const { code, stdout } = await run('du', ['--summarize', '--bytes', '--', storageFolder])
    if (code === 0 && Number.parseInt(stdout.toString(), 10) > maximumCache) await empty()
  }
  return {
    build: async options => {
      normaliseName(options.name)
      for (const tag of options.tags) normaliseName(tag)
      await checkContext(options.context, 'context')
      for (const [name, at] of Object.entries(options.contexts)) if (!isImage(at)) await checkContext(at, `contexts.${name}`)
      const text = await dockerfileText(options)
      const version = await run('buildah', ['--version'], { signal: options.signal }, install)
      if (version.code !== 0) throw new DayflyError('host', `buildah cannot be run: ${version.stderr.trim()}`, { remedy: install })
      await using _ = await lockFile(lockPath, 'exclusive', options.signal)
      await chown(folder, firstId, firstId)
      await mkdir(storageFolder, { recursive: true, mode: 0o700 })
      await chown(storageFolder, firstId, firstId)
      const deadline = deadlineOf(options, parts.limits)
      const building: Work = { options: { ...options, signal: deadline }, parts, folder: workFolder }
      try {
        await makeWork(workFolder, firstId, text)
        await construct(building, text)
        return await takeIn(building)
      } catch (error) {
        if (error instanceof DayflyError) throw error
        throw new DayflyError('host', `the build of ${options.name} failed: ${messageOf(error)}`, { cause: error })
      } finally {
        await removeTree(workFolder)
        await trim()
      }
    },
    clear: async () => {
      await using _ = await lockFile(lockPath, 'exclusive')
      await removeTree(workFolder)
      await empty()
    },
  }
}
