import type { Cataloguer } from './catalogue.ts'
import { languageCataloguers } from './packages/languages/cataloguers.ts'
import { systemCataloguers } from './packages/system/cataloguers.ts'

/** All there are. The order is that of their findings in a file that several want. */
export const cataloguers: readonly Cataloguer[] = [...systemCataloguers, ...languageCataloguers]
