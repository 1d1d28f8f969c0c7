/** The OpenAPI 3.1 document of a list of routes. `docs/openapi.json` is its checked-in copy. */
import { z } from 'zod'
import { framesMediaType } from './frames.ts'
import { problemMediaType } from './problems.ts'
import type { Route } from './route.ts'
import { Problem } from './schemas/system.ts'

type Json = Record<string, unknown>

const description =
  'HTTP over the unix socket <run-dir>/dayfly.sock. Times are milliseconds since the Unix epoch, durations milliseconds, sizes bytes. ' +
  `Frames (\`${framesMediaType}\`, or after an upgrade to \`dayfly-frames\`) are: u32 length of what follows, little-endian; u8 kind; payload. ` +
  'Kinds: 0 stdin (empty: its end), 1 stdout, 2 stderr, 3 resize (u16 rows, u16 columns), 4 signal (its name), 5 exit (ExitFrame), 6 error (Problem), ' +
  '7 progress (PullProgress), 8 started (Environment), 9 ended (Environment).'

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** JSON Schema of `schema`; what has an id in it goes to `components` and is referred to. */
const jsonSchema = (schema: z.ZodType, io: 'input' | 'output', components: Json): Json => {
  const { $schema: _dialect, $defs, ...body } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  const rewritten: { body: Json; $defs: Json } = JSON.parse(
    JSON.stringify({ body, $defs: $defs ?? {} }).replaceAll('"#/$defs/', '"#/components/schemas/'),
  )
  Object.assign(components, rewritten.$defs)
  return rewritten.body
}

const parameters = (schema: z.ZodType, place: 'path' | 'query', components: Json): Json[] => {
  const { properties, required } = jsonSchema(schema, 'input', components)
  if (!isObject(properties)) return []
  const needed = new Set(Array.isArray(required) ? required : [])
  return Object.entries(properties).map(([name, property]) => {
    const { description: said, ...rest } = isObject(property) ? property : {}
    return { name, in: place, required: needed.has(name), ...(said === undefined ? {} : { description: said }), schema: rest }
  })
}

const responses = (route: Route, components: Json): Json => {
  const byStatus: Record<string, { description: string; content?: Json }> = {}
  for (const answer of route.answers) {
    const { description: first, content } = byStatus[answer.status] ?? {}
    const media =
      answer.mediaType === undefined
        ? {}
        : { [answer.mediaType]: answer.schema === undefined ? {} : { schema: jsonSchema(answer.schema, 'output', components) } }
    byStatus[answer.status] = {
      description: first === undefined ? answer.description : `${first} Or: ${answer.description}`,
      content: { ...content, ...media },
    }
  }
  const failure = {
    description: 'It failed; the status goes with the error code.',
    content: { [problemMediaType]: { schema: jsonSchema(Problem, 'output', components) } },
  }
  return { ...byStatus, default: failure }
}

export const openapiDocument = (routes: readonly Route[], version: string): Json => {
  const components: Json = {}
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    const body = jsonSchema(route.body, 'input', components)
    const taken = [...parameters(route.params, 'path', components), ...parameters(route.query, 'query', components)]
    paths[path] = {
      ...paths[path],
      [route.method.toLowerCase()]: {
        summary: route.summary,
        ...(route.description === undefined ? {} : { description: route.description }),
        operationId: `${route.method.toLowerCase()}${path.replaceAll(/[^A-Za-z]+(\w?)/g, (_, letter: string) => letter.toUpperCase())}`,
        ...(taken.length === 0 ? {} : { parameters: taken }),
        ...(route.takes === undefined
          ? {}
          : { requestBody: { required: true, content: { [route.takes]: { schema: { type: 'string', format: 'binary' } } } } }),
        ...(Object.keys(body).length === 0 ? {} : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
        responses: responses(route, components),
      },
    }
  }
  const sorted = Object.fromEntries(Object.entries(components).sort(([left], [right]) => (left < right ? -1 : 1)))
  return {
    openapi: '3.1.0',
    info: { title: 'Dayfly', version, description },
    servers: [{ url: 'http://dayfly' }],
    paths,
    components: { schemas: sorted },
  }
}
