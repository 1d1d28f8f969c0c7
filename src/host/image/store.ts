/**
 * The image store: images pulled or imported into one folder, their layers unpacked once and shared by every image that has them.
 *
 *   <folder>/layers/<16 hex of the diff id>/   one unpacked layer, in overlayfs form. There if and only if it is complete and was verified
 *   <folder>/layer-info/<16 hex>.json          its full diff id, size, opaque folders
 *   <folder>/layer-notes/<16 hex>.json         what was said of it by who looked at it, if anybody did
 *   <folder>/images/<64 hex of digest>.json    one image: its manifest and config, byte for byte
 *   <folder>/names/<sha256 of name>.json       one name → digest
 *   <folder>/staging/<owner>-<random>/         what an operation has under way, and pins of the layers it relies on. Removed with its process
 *   <folder>/locks/                            flock(2) files: empty, never removed
 *
 * Who owns what: the store owns the folder. Several processes may use one folder at once. The kernel releases a dead process's locks, and
 * `openImageStore` removes its staging. A layer that an image, a running instance the caller names, or an operation under way in any process
 * needs is never collected.
 */
import type { LayerWatcher } from './watch.ts'

export interface Platform {
  /** Go's names: `linux`; `amd64`, `arm64`; `v8`. */
  readonly os: string
  readonly architecture: string
  readonly variant: string | undefined
}

export interface ImageLayer {
  /** `sha256:…` of the uncompressed tar stream. */
  readonly diffId: string
  /** Name of the layer's folder in `layersFolder`: the first 16 hex digits of the diff id. */
  readonly folder: string
  /** Bytes of file content, unpacked. */
  readonly bytes: number
}

/** Times in ms, docker's defaults put in. */
export interface ImageHealth {
  /** argv; exit code 0 is well. */
  readonly command: readonly string[]
  readonly interval: number
  readonly timeout: number
  readonly startPeriod: number
  readonly startInterval: number
  readonly retries: number
}

/** What the image says about how to run it. Absent things are empty. */
export interface ImageConfig {
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  /** A later duplicate wins. */
  readonly env: Readonly<Record<string, string>>
  /** `user[:group]`, names or ids; '' means root. For `resolveUser`. */
  readonly user: string
  /** Absolute; `/` when the image says nothing. */
  readonly workingDir: string
  /** A name like SIGTERM (the default). */
  readonly stopSignal: string
  readonly labels: Readonly<Record<string, string>>
  /** `80/tcp`. */
  readonly exposedPorts: readonly string[]
  /** Absolute paths. */
  readonly volumes: readonly string[]
  /** Docker's HEALTHCHECK, where it has one that runs something. */
  readonly health?: ImageHealth
}

export interface Image {
  /** Manifest digest, `sha256:…`: the image's identity. */
  readonly digest: string
  /** Digest of the config, which docker calls the image id. */
  readonly configDigest: string
  /** Normalised as docker does (`docker.io/library/alpine:latest`); one name belongs to one image. Sorted. */
  readonly names: readonly string[]
  readonly platform: Platform
  /**
   * Bottom first, as overlayfs is to stack them; at least one. A layer that occurs twice is here once (topmost), and what an opaque root hides is
   * left out: `inspect` lists what the manifest does.
   */
  readonly layers: readonly ImageLayer[]
  readonly config: ImageConfig
  /** Wall clock, ms, as the image says; undefined when it says nothing. */
  readonly createdAt: number | undefined
  /** Wall clock, ms: when it came into this store. */
  readonly pulledAt: number
  /** Bytes of all its layers, unpacked; a layer shared with another image counts in both. */
  readonly size: number
}

/** `image` plus what people ask for when they look closer. */
export interface ImageDetail {
  readonly image: Image
  readonly mediaType: string
  /** All that the manifest lists, bottom first. */
  readonly layers: readonly (ImageLayer & {
    /** Digest and bytes of the (compressed) blob, as the manifest says. */
    readonly blobDigest: string
    readonly blobBytes: number
    /** How many images of this store have it. */
    readonly images: number
  })[]
  /** One line for each step that made it, oldest first. */
  readonly history: readonly string[]
}

/** A layer and what was said of it. */
export interface NotedLayer {
  readonly diffId: string
  /** Its folder: absolute. There for as long as the image is. */
  readonly path: string
  /** Folders, relative, that hide those of the layers below; '' is the layer itself. */
  readonly opaque: ReadonlySet<string>
  readonly note: unknown
}

export interface ImageProgress {
  /**
   * `resolve` comes first and once, with no layer; then each layer goes download → unpack → done, or straight to `done` when the store has it.
   * What comes from a file is copied during `resolve`, and has no download.
   * Numbers never fall within one phase of one layer.
   */
  readonly phase: 'resolve' | 'download' | 'unpack' | 'done'
  /** The layer's diff id, or '' when the phase is of the whole image. For an imported root file system it is not known in advance: ''. */
  readonly layer: string
  readonly bytes: number
  /** Undefined when it cannot be known. */
  readonly total: number | undefined
}

/**
 * Credentials for registries. They never reach an argument list, an error or a log.
 * `file` is read with this process's rights: only pass a path that the caller of the API may read. `content` is the text of such a file
 * (docker's config.json, containers' auth.json); of it only `auths` is used, never a credential helper. Without either, skopeo looks where it
 * always does, as this process's user.
 */
export type RegistryAuth = { readonly file: string } | { readonly content: string }

export interface PullOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: ImageProgress) => void
  readonly auth?: RegistryAuth
  /** Default true; a registry on the loopback (127.0.0.0/8, ::1, localhost) defaults to false, as with docker. */
  readonly tlsVerify?: boolean
  /** Default: this machine's. */
  readonly platform?: Platform
}

export interface ImportOptions {
  /** Name for the new image. */
  readonly name: string
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: ImageProgress) => void
  /** Default: the first of `/bin/sh`, `/usr/bin/sh` that exists in it, or nothing. */
  readonly cmd?: readonly string[]
}

export interface Removed {
  /** Names that no longer exist. */
  readonly names: readonly string[]
  /** Digests of images that no longer exist. */
  readonly images: readonly string[]
  /** Diff ids of layers that were deleted. */
  readonly layers: readonly string[]
  readonly freedBytes: number
}

export interface ResolvedUser {
  readonly uid: number
  readonly gid: number
  /** From /etc/group; empty when a group was named. Ascending, without `gid`. */
  readonly additionalGids: readonly number[]
  /** Home folder from /etc/passwd; `/` when the user has no entry. */
  readonly home: string
}

export interface ImageStore extends AsyncDisposable {
  /** Absolute path of the folder that holds the folders of all layers. */
  readonly layersFolder: string

  /**
   * `reference`: `alpine`, `host:5000/a/b:tag`, `repo@sha256:…`, or with a transport of skopeo: `docker://`, `oci:`, `oci-archive:`,
   * `docker-archive:`, `docker-daemon:`, `dir:`. Errors: `invalid` (the reference, or a platform it does not have), `not_found` (no such image),
   * `denied` (the registry wants other credentials), `upstream` (the registry cannot be reached or failed), `corrupt` (something does not have
   * its digest, or is no archive, or is hostile: names the layer and the entry), `host` (disk full, a tool is missing), `aborted`.
   */
  pull(reference: string, options?: PullOptions): Promise<Image>
  /** A root file system, as a tar (plain or compressed) or a folder, becomes an image of one layer. Errors as `pull`. */
  importRoot(path: string, options: ImportOptions): Promise<Image>

  /** Newest first. */
  list(): Promise<Image[]>
  /** By name, digest, or a unique prefix of at least 4 hex digits of the manifest or config digest. Throws `not_found` or, when ambiguous, `invalid`. */
  get(reference: string): Promise<Image>
  inspect(reference: string): Promise<ImageDetail>
  /**
   * All layers that the manifest lists, bottom first, with the notes of the store's watcher. Those that it has not looked at, or would look at otherwise now,
   * are looked at now: of all callers of all processes by one. Without a watcher no layer has a note. Rejects with `corrupt` when they take more than 32 MiB together.
   */
  noted(reference: string, signal?: AbortSignal): Promise<NotedLayer[]>
  /** Gives an image one more name; a name that another image had moves. */
  tag(reference: string, name: string): Promise<Image>

  /**
   * By name: that name, and with the last name the image. By digest or prefix: the image with all its names. Then deletes layers that nothing
   * needs. `inUse`: manifest digests that instances need; removing one of those is `wrong_state`.
   */
  remove(reference: string, inUse: ReadonlySet<string>): Promise<Removed>
  /** Removes images that are not `inUse` (and, with `keepNamed`, have no name), then layers that nothing needs. */
  gc(options: { readonly inUse: ReadonlySet<string>; readonly keepNamed: boolean }): Promise<Removed>

  /**
   * `user[:group]`, names or ids, by the image's own /etc/passwd and /etc/group as the container will see them. A number needs no entry. '' is
   * root. Throws `invalid` with field `--user` for an unknown name or a number that is out of range. `groups`: further ones, names or ids; field `groups`.
   */
  resolveUser(image: Image, user: string, groups?: readonly string[]): Promise<ResolvedUser>
}

export interface ImageStoreOptions {
  /** `<state>/images`. Made (0700) when missing; on a file system that has overlayfs xattrs (not tmpfs before Linux 6.6, not NFS). */
  readonly folder: string
  /** Path of `dayfly-unpack`. */
  readonly unpackBinary: string
  /** Default `skopeo`, looked up in PATH. */
  readonly skopeoBinary?: string
  /** Limits of one layer. Default 64 GiB and 2,000,000. */
  readonly maximumLayerBytes?: number
  readonly maximumLayerEntries?: number
  /** Looks at each layer in the pass that unpacks it. */
  readonly watcher?: LayerWatcher
}
