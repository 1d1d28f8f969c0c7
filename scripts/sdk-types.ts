/** Prints sdk/src/api-types.ts: the types of the API, from its description. `make docs` writes it; a test compares. */
import { readFileSync } from 'node:fs'
import openapiTypescript, { astToString } from 'openapi-typescript'

const header = '/** Made from docs/openapi.json by scripts/sdk-types.ts. Not to be edited. */\n'

interface Document {
  readonly components: { readonly schemas: Record<string, object> }
}

export const apiTypes = async (): Promise<string> => {
  const document: Document = JSON.parse(readFileSync(new URL('../docs/openapi.json', import.meta.url), 'utf8'))
  const { schemas } = document.components
  // Any JSON at all refers to itself, which types made this way cannot.
  for (const name of Object.keys(schemas))
    if (name.startsWith('__schema') && JSON.stringify(schemas[name]).includes(`"#/components/schemas/${name}"`)) schemas[name] = {}
  // What has a default may be left out; answers say themselves what they always have.
  return header + astToString(await openapiTypescript(JSON.stringify(document), { defaultNonNullable: false }))
}

if (process.argv[1] === import.meta.filename) process.stdout.write(await apiTypes())
