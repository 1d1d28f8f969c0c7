import type { Cataloguer } from '../../catalogue.ts'
import { cargoLock } from './cargo-lock.ts'
import { dotnet, nugetLock } from './dotnet.ts'
import { goModules } from './go-modules.ts'
import { java } from './java.ts'
import { npm } from './npm.ts'
import { npmLock } from './npm-lock.ts'
import { composer, composerLock } from './php.ts'
import { pnpmLock } from './pnpm-lock.ts'
import { program } from './program.ts'
import { python } from './python.ts'
import { pythonLock } from './python-lock.ts'
import { requirements } from './requirements.ts'
import { gemfileLock, ruby } from './ruby.ts'
import { yarnLock } from './yarn-lock.ts'

/** Those of packages that are there, in images and in folders. */
export const languageCataloguers: readonly Cataloguer[] = [npm, python, java, program, ruby, composer, dotnet]

/**
 * Those of what a project says is to be installed: for folders, beside the others. In an image a lock file installs nothing, and what was installed from it is
 * found itself. Where both are there, as with node_modules beside package-lock.json, the same package is found twice, and is one by its purl: what was
 * installed for development is then listed because it is there.
 */
export const lockCataloguers: readonly Cataloguer[] = [
  ...[npmLock, yarnLock, pnpmLock, pythonLock, requirements, goModules],
  ...[gemfileLock, composerLock, cargoLock, nugetLock],
]
