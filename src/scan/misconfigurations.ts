/** What is wrong with how an image is made. Each is a fact; presets decide which of them matter. Ids are part of the interface: policies and exemptions name them. */
import { createHash } from 'node:crypto'
import type { ImageMisconfiguration, MisconfigurationFinding, Severity } from '../model/finding.ts'
import type { RemarkableFile } from './facts.ts'
import type { Remarkable } from './remarkable.ts'

export interface ImageDescription {
  /** Of the manifest. */
  readonly digest: string
  readonly config: {
    /** `user[:group]`; '' is root. */
    readonly user: string
    readonly env: Readonly<Record<string, string>>
    readonly labels: Readonly<Record<string, string>>
    readonly entrypoint: readonly string[]
    readonly cmd: readonly string[]
    /** `80/tcp`. */
    readonly exposedPorts: readonly string[]
  }
  /** One line for each step that made it, oldest first. */
  readonly history: readonly string[]
}

interface Check {
  readonly severity: Severity
  readonly title: string
  readonly remedy: string
  readonly references: readonly string[]
}

const dockerfile = 'https://docs.docker.com/build/building/best-practices/'
const cis = 'https://www.cisecurity.org/benchmark/docker'

export const checks = {
  'image-root-user': {
    severity: 'medium',
    title: 'The image runs as root unless the request says otherwise',
    remedy: 'Add a user and name it with USER, by number: USER 10001.',
    references: [`${dockerfile}#user`, cis],
  },
  'image-setuid-file': {
    severity: 'medium',
    title: 'The image has setuid or setgid files beyond those that distributions bring',
    remedy: 'Remove the bits in the build (chmod a-s FILE), or the files.',
    references: [cis],
  },
  'image-setuid-usual': {
    severity: 'low',
    title: "The image has a distribution's usual setuid or setgid files",
    remedy: 'Remove the bits of those that nothing needs: find / -xdev -perm /6000 -type f -exec chmod a-s {} +',
    references: [cis],
  },
  'image-world-writable': {
    severity: 'medium',
    title: 'The image has files or folders that every user may write to',
    remedy: 'Take the right away in the build: chmod o-w PATH. A folder that all must write to gets the sticky bit.',
    references: ['https://man7.org/linux/man-pages/man7/path_resolution.7.html', cis],
  },
  'image-shell': {
    severity: 'negligible',
    title: 'The image has a shell',
    remedy: 'Build on a base without one (distroless, scratch) and copy only what runs.',
    references: ['https://github.com/GoogleContainerTools/distroless#why-should-i-use-distroless-images'],
  },
  'image-package-manager': {
    severity: 'low',
    title: 'The image has a package manager',
    remedy: 'Build in stages and copy what runs into a base without one.',
    references: ['https://docs.docker.com/build/building/multi-stage/'],
  },
  'image-privileged-port': {
    severity: 'low',
    title: 'The image exposes a port below 1024',
    remedy: 'Listen on a port above 1023 and publish it as the one that clients expect.',
    references: [cis],
  },
  'image-tag-latest': {
    severity: 'low',
    title: 'The image is named by the tag latest, which says nothing',
    remedy: 'Name a version, or better the digest.',
    references: ['https://kubernetes.io/docs/concepts/containers/images/#image-names'],
  },
  'image-without-digest': {
    severity: 'low',
    title: 'The image is named without a digest: what it names can change',
    remedy: 'Append the digest that `dayfly image ls` shows: NAME@sha256:…',
    references: ['https://kubernetes.io/docs/concepts/containers/images/#image-names'],
  },
} as const satisfies Readonly<Record<ImageMisconfiguration, Check>>

/**
 * Setuid and setgid programs that come with distributions' base packages (shadow, util-linux, sudo, openssh, dbus, polkit, fuse, iputils, pam, cron), by name.
 * In any of the folders below; elsewhere a file of that name is no usual one.
 */
const usualSetuid: ReadonlySet<string> = new Set([
  ...[
    'su',
    'sudo',
    'passwd',
    'chsh',
    'chfn',
    'newgrp',
    'sg',
    'gpasswd',
    'chage',
    'expiry',
    'newuidmap',
    'newgidmap',
    'mount',
    'umount',
    'wall',
    'write',
  ],
  ...[
    'bsd-write',
    'unix_chkpwd',
    'pam_timestamp_check',
    'pam_extrausers_chkpwd',
    'ping',
    'ping6',
    'traceroute6.iputils',
    'crontab',
    'at',
    'ssh-agent',
  ],
  ...[
    'ssh-keysign',
    'pkexec',
    'polkit-agent-helper-1',
    'dbus-daemon-launch-helper',
    'fusermount',
    'fusermount3',
    'dotlockfile',
    'mlocate',
    'plocate',
    'locate',
  ],
  ...['bbsuid', 'utempter', 'userhelper', 'usernetctl', 'sudoedit', 'mail-lock', 'mail-unlock', 'mail-touchlock'],
])
const usualFolders = /^(?:usr\/)?(?:local\/)?(?:s?bin|lib|lib64|libexec)(?:\/|$)/

const isUsualSetuid = ({ path }: RemarkableFile): boolean =>
  usualFolders.test(path) && !path.startsWith('usr/local/') && usualSetuid.has(path.slice(path.lastIndexOf('/') + 1))

/** How many places of one finding are told. */
const mostPlaces = 100

type Places = MisconfigurationFinding['places']

const finding = (id: ImageMisconfiguration, places: Places, about: string, detail = ''): MisconfigurationFinding => {
  const { severity, title, remedy, references } = checks[id]
  const more = places.length > mostPlaces ? ` (${places.length} places, of which ${mostPlaces} are listed)` : ''
  return {
    kind: 'misconfiguration',
    ...{ id, severity, remedy, references: [...references], places: places.slice(0, mostPlaces), title: `${title}${detail}${more}` },
    fingerprint: createHash('sha256').update(['misconfiguration', id, about].join('\0')).digest('hex').slice(0, 32),
  }
}

const files = (id: ImageMisconfiguration, found: readonly string[]): MisconfigurationFinding[] =>
  found.length === 0
    ? []
    : [
        finding(
          id,
          found.map(path => ({ path })),
          [...found].sort().join('\0'),
        ),
      ]

/** Root by number or by name. What other names stand for is in the image's /etc/passwd; that two names are root is rare, and the run time checks the number. */
const isRoot = (user: string): boolean => /^(?:0*|root)(?::|$)/.test(user)

const isPrivileged = (port: string): boolean => {
  const [first = ''] = port.split(/[-/]/)
  return /^\d+$/.test(first) && Number(first) > 0 && Number(first) < 1024
}

/** By the image's configuration and its merged file system. */
export const misconfigurationsOf = ({ config }: ImageDescription, remarkable: Remarkable): MisconfigurationFinding[] => {
  const setuid = remarkable.setuid.filter(file => !isUsualSetuid(file))
  const usual = remarkable.setuid.filter(isUsualSetuid)
  const ports = config.exposedPorts.filter(isPrivileged)
  return [
    ...(isRoot(config.user) ? [finding('image-root-user', [{ field: 'user' }], config.user)] : []),
    ...files(
      'image-setuid-file',
      setuid.map(file => file.path),
    ),
    ...files(
      'image-setuid-usual',
      usual.map(file => file.path),
    ),
    ...files(
      'image-world-writable',
      remarkable.worldWritable.map(file => file.path),
    ),
    ...files('image-shell', remarkable.shells),
    ...files('image-package-manager', remarkable.packageManagers),
    ...ports.map(port => finding('image-privileged-port', [{ field: 'exposedPorts' }], port, `: ${port}`)),
  ]
}

/** By what it was called in the request: not a fact about the image, so it is no part of its facts. */
export const misconfigurationsOfName = (name: string, field = 'image'): MisconfigurationFinding[] => {
  if (/(^|@)sha256:[0-9a-f]{64}$/.test(name)) return []
  // A colon before the last slash is that of a registry's port.
  const tag = /:([^:/]+)$/.exec(name)?.[1] ?? 'latest'
  return [...(tag === 'latest' ? [finding('image-tag-latest', [{ field }], name)] : []), finding('image-without-digest', [{ field }], name)]
}
