/**
 * Azure Linux's distroless images: no database, but what `rpm --query` said of each package when the image was made, a line each, with tabs
 * between name, version-release, two dates, vendor, epoch, size, architecture, epoch as a number, and source.
 */
import type { Cataloguer } from '../../catalogue.ts'
import { collecting, isWord } from './collect.ts'
import { eachLine } from './lines.ts'
import { rpmPackage } from './rpm-package.ts'

const path = 'var/lib/rpmmanifest/container-manifest-2'
const longest = 4096

export const rpmManifest: Cataloguer = {
  name: 'rpm-manifest',
  wants: entry => entry.kind === 'file' && entry.path === path,
  read: (entry, content, distribution, signal) =>
    collecting(entry, signal, collector =>
      eachLine(content, signal, (bytes, start, end) => {
        if (start === end) return
        const [name = '', full = '', , , , epoch = '', , arch, , sourceRpm] = bytes
          .toString('utf8', start, Math.min(end, start + longest))
          .split('\t')
        const dash = full.lastIndexOf('-')
        const number = epoch === '(none)' ? undefined : Number(epoch)
        if (!isWord(name) || dash < 1 || sourceRpm === undefined || (number !== undefined && !(Number.isInteger(number) && number >= 0))) {
          collector.problem('has a line that names no package')
          return
        }
        const header = { name, version: full.slice(0, dash), release: full.slice(dash + 1), epoch: number, license: undefined, modularity: undefined }
        collector.add(rpmPackage({ ...header, arch, sourceRpm: sourceRpm.trim() }, entry.path, distribution))
      }),
    ),
}
