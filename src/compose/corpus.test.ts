/**
 * Each folder of the corpus: `expected.yaml` is the resolved project, `expected.txt` the warnings, or the problems where it is refused. A new case gets them by
 * UPDATE_EXPECTED=1, to be read before they are committed.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Case } from '../../test/compose/corpus.ts'
import { corpusFolder, readCases } from '../../test/compose/corpus.ts'
import { memorySources } from '../../test/compose/sources.ts'
import { load } from './compose.ts'
import { print } from './print.ts'
import { InvalidCompose } from './problems.ts'
import { resolve } from './resolve.ts'

const outcome = async ({ request }: Case): Promise<{ yaml: string | undefined; text: string }> => {
  try {
    const { project, warnings } = await load(request)
    const lines = warnings.map(({ kind, file, line, column, path, message }) => `${kind} ${file}:${line}:${column}: ${path}: ${message}\n`)
    return { yaml: print(project), text: lines.join('') }
  } catch (error) {
    if (!(error instanceof InvalidCompose)) throw error
    return { yaml: undefined, text: `${error.message}\n` }
  }
}

const cases = await readCases()

describe('the corpus', () => {
  it('has at least forty projects', () => assert.ok(cases.length >= 40))

  for (const project of cases) {
    it(project.name, async () => {
      const { yaml, text } = await outcome(project)
      if (process.env['UPDATE_EXPECTED'] === '1') {
        const folder = join(corpusFolder, project.name)
        if (yaml !== undefined) await writeFile(join(folder, 'expected.yaml'), yaml)
        await writeFile(join(folder, 'expected.txt'), text)
        return
      }
      assert.equal(yaml, project.files['expected.yaml'])
      assert.equal(text, project.files['expected.txt'])
    })

    if (project.files['expected.yaml'] === undefined) continue
    it(`${project.name}, printed and read again, is the same project`, async () => {
      const first = await resolve(project.request)
      const { folder, profiles } = first.project
      for (const format of ['yaml', 'json'] as const) {
        const sources = memorySources({ [`${folder}/printed.yaml`]: print(first.project, format) })
        // Values that are not in the file come from the caller, as before; those of .env files are in it.
        const again = await resolve({ files: ['printed.yaml'], projectFolder: folder, env: project.request.env, profiles, sources })
        const { files: _, disabled: __, ...expected } = first.project
        const { files: ___, disabled: ____, ...printed } = again.project
        assert.deepEqual(printed, expected)
      }
    })
  }
})
