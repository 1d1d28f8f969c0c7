/** The corpus of compose files: folders of src/compose/corpus, each with the files of a project and what becomes of them. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { LoadRequest } from '../../src/compose/resolve.ts'
import { parse } from '../../src/model/parse.ts'
import { memorySources } from './sources.ts'

export const corpusFolder = join(import.meta.dirname, '../../src/compose/corpus')

/** How the project is loaded, where it is not simply loaded. */
const RequestFile = z.strictObject({
  files: z.array(z.string()).default([]),
  env: z.record(z.string(), z.string()).default({}),
  profiles: z.array(z.string()).default([]),
  links: z.record(z.string(), z.string()).default({}),
})

export interface Case {
  readonly name: string
  readonly request: LoadRequest
  /** By path relative to the case's folder. */
  readonly files: Readonly<Record<string, string>>
}

const results = new Set(['expected.yaml', 'expected.txt', 'request.json'])

export const readCases = async (): Promise<Case[]> => {
  const cases: Case[] = []
  for (const name of (await readdir(corpusFolder)).sort()) {
    const folder = join(corpusFolder, name)
    const files: Record<string, string> = {}
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      if (entry.isFile()) files[path.slice(folder.length + 1)] = await readFile(path, 'utf8')
    }
    const { links, ...request } = parse(RequestFile, JSON.parse(files['request.json'] ?? '{}'))
    // A place that is the same for everybody, for it is part of what is expected.
    const root = `/project/${name}`
    const sources = memorySources(
      Object.fromEntries(Object.entries(files).flatMap(([path, text]) => (results.has(path) ? [] : [[`${root}/${path}`, text]]))),
      Object.fromEntries(Object.entries(links).map(([path, target]) => [`${root}/${path}`, target])),
    )
    cases.push({ name, files, request: { ...request, projectFolder: root, sources } })
  }
  return cases
}
