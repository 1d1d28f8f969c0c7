/** Cargo.lock: the crates that come from somewhere. Those without a source are the project's own. */
import type { Cataloguer } from '../../catalogue.ts'
import { collecting } from '../system/collect.ts'
import { baseName, isForeign, languagePackage } from './found.ts'
import { textOf } from './json.ts'
import { readTables } from './toml.ts'

export const cargoLock: Cataloguer = {
  name: 'cargo-lock',
  wants: ({ kind, path }) => kind === 'file' && path.endsWith('Cargo.lock') && baseName(path) === 'Cargo.lock' && !isForeign(path),
  read: (entry, content, _distribution, signal) =>
    collecting(entry, signal, async collector => {
      for (const table of await readTables(content, 'package')) {
        const [name, version] = [textOf(table, 'name'), textOf(table, 'version')]
        if (!name || !version) collector.problem(`has a package without a ${name ? 'version' : 'name'}`)
        else if (textOf(table, 'source') !== undefined) collector.add(languagePackage('cargo', name, version, entry.path))
      }
    }),
}
