import type { Cataloguer } from '../../catalogue.ts'
import { apk } from './apk.ts'
import { dpkg } from './dpkg.ts'
import { dpkgFiles } from './dpkg-files.ts'
import { rpm } from './rpm.ts'
import { rpmManifest } from './rpm-manifest.ts'

/** Those of packages that a distribution's own manager installs. */
export const systemCataloguers: readonly Cataloguer[] = [dpkg, dpkgFiles, apk, rpm, rpmManifest]
