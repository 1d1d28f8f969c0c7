/** Entries that stand out by their name or mode alone. */
import type { Entry } from './catalogue.ts'
import type { RemarkableFile } from './facts.ts'

const setuidBits = 0o6000
const othersWrite = 0o002
const sticky = 0o1000
const anyExecute = 0o111

const programFolders: ReadonlySet<string> = new Set(['bin', 'sbin', 'usr/bin', 'usr/sbin', 'usr/local/bin', 'usr/local/sbin', 'busybox'])

const shellNames: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh', 'mksh', 'csh', 'tcsh', 'fish', 'busybox', 'toybox'])

/** Of distributions: what installs software into a running instance. Those of languages belong to what the image is for. */
const packageManagerNames: ReadonlySet<string> = new Set([
  ...[
    'apt',
    'apt-get',
    'aptitude',
    'dpkg',
    'apk',
    'rpm',
    'yum',
    'dnf',
    'dnf5',
    'microdnf',
    'zypper',
    'pacman',
    'tdnf',
    'emerge',
    'xbps-install',
    'opkg',
  ],
])

/** The file's name where it is a program in one of the usual folders. Links count: what they lead to is a program by that name, too. */
const programName = (entry: Entry): string | undefined => {
  if (entry.kind !== 'link' && (entry.mode & anyExecute) === 0) return undefined
  const slash = entry.path.lastIndexOf('/')
  return slash > 0 && programFolders.has(entry.path.slice(0, slash)) ? entry.path.slice(slash + 1) : undefined
}

/** What stands out in a file system. */
export interface Remarkable {
  readonly setuid: readonly RemarkableFile[]
  readonly worldWritable: readonly RemarkableFile[]
  readonly shells: readonly string[]
  readonly packageManagers: readonly string[]
}

export interface Remarks {
  readonly setuid: boolean
  readonly worldWritable: boolean
  readonly shell: boolean
  readonly packageManager: boolean
}

/** Undefined for nearly every entry. */
export const remarksOn = (entry: Entry): Remarks | undefined => {
  const { kind, mode } = entry
  const isFile = kind === 'file' || kind === 'hardlink'
  if (!isFile && kind !== 'folder' && kind !== 'link') return undefined
  const setuid = isFile && (mode & setuidBits) !== 0
  // A sticky folder that all write to, like /tmp, is as it should be.
  const worldWritable = (mode & othersWrite) !== 0 && (isFile || (kind === 'folder' && (mode & sticky) === 0))
  const name = kind === 'folder' ? undefined : programName(entry)
  const shell = name !== undefined && shellNames.has(name)
  const packageManager = name !== undefined && packageManagerNames.has(name)
  return setuid || worldWritable || shell || packageManager ? { setuid, worldWritable, shell, packageManager } : undefined
}

export const remarkable = ({ path, mode, uid, gid }: Entry): RemarkableFile => ({ path, mode, uid, gid })
