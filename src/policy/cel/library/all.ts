/** Every function that a policy may call. */
import type { Library } from '../scope.ts'
import { libraryOf } from '../scope.ts'
import { addresses } from './addresses.ts'
import { arithmetic } from './arithmetic.ts'
import { conversions } from './conversions.ts'
import { lists } from './lists.ts'
import { math } from './math.ts'
import { namedFormats } from './named-formats.ts'
import { optionals } from './optionals.ts'
import { quantities } from './quantities.ts'
import { regexes } from './regexes.ts'
import { strings } from './strings.ts'
import { times } from './times.ts'
import { urls } from './urls.ts'
import { versions } from './versions.ts'

/** The standard library, the extensions of cel-go, and those of Kubernetes. */
export const kubernetesLibrary: Library = libraryOf([
  ...arithmetic,
  ...conversions,
  ...times,
  ...strings,
  ...regexes,
  ...lists,
  ...math,
  ...optionals,
  ...quantities,
  ...addresses,
  ...urls,
  ...versions,
  ...namedFormats,
])
