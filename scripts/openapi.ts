/** Prints docs/openapi.json: the description of the API, as the daemon serves it. `make docs` writes it; a test compares. */
import { openapiDocument } from '../src/api/openapi.ts'
import { apiRoutes } from '../src/api/routes/all.ts'
import type { Services } from '../src/api/services.ts'
import { readVersion } from '../src/base/version.ts'

/** Routes are described without being called, so there is nothing behind them. */
const nobody = new Proxy<Services>(Object.create(null), {
  get: (_, name) => {
    throw new Error(`describing the API asked for the service ${String(name)}`)
  },
})

export const openapiText = (): string => `${JSON.stringify(openapiDocument(apiRoutes(nobody, readVersion()), readVersion()), null, 2)}\n`

if (process.argv[1] === import.meta.filename) process.stdout.write(openapiText())
