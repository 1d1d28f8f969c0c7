import type { Cataloguer } from './catalogue.ts'
import { languageCataloguers, lockCataloguers } from './packages/languages/cataloguers.ts'
import { systemCataloguers } from './packages/system/cataloguers.ts'

/** Those of packages that are there, for images. The order is that of their findings in a file that several want. */
export const cataloguers: readonly Cataloguer[] = [...systemCataloguers, ...languageCataloguers]

/** For folders of projects: also those of packages that lock files say are to be installed. */
export const folderCataloguers: readonly Cataloguer[] = [...cataloguers, ...lockCataloguers]
