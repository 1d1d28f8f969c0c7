/** Programs that say what they were built of: Go's build information, Rust's by cargo-auditable. One look at a file's outline serves both. */
import type { Cataloguer } from '../../catalogue.ts'
import { collecting } from '../system/collect.ts'
import { readElf } from './elf.ts'
import { readGoBuildInfo } from './go-build-info.ts'
import { addBuildInfo } from './go-modules.ts'
import { addAudit } from './rust-audit.ts'

/** Bytes. The smallest program of either is much larger. */
const smallest = 4096

export const program: Cataloguer = {
  name: 'program',
  // Kernel modules and objects are many, and of neither.
  wants: ({ kind, magic, size, path }) => kind === 'file' && magic === 'elf' && size >= smallest && !path.endsWith('.ko') && !path.endsWith('.o'),
  read: (entry, content, _distribution, signal) =>
    collecting(entry, signal, async collector => {
      const elf = await readElf(content)
      if (elf === undefined) return
      const go = await readGoBuildInfo(content, elf)
      if (go !== undefined) addBuildInfo(go, entry.path, collector)
      await addAudit(content, elf, entry.path, collector)
    }),
}
