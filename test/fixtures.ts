/**
 * Public test data that is kept beside the repository, not in it: version orders, OSV records, pods, detection rules, each with its source.
 * In `DAYFLY_FIXTURES`, or in `../shared/fixtures` beside the checkout. What needs it is skipped where it is not there.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

const folder = process.env['DAYFLY_FIXTURES'] ?? resolve(import.meta.dirname, '../../shared/fixtures')

/** The path of `name` (e.g. `versions`), for the test's body, and what to give to `skip`: false, or why it cannot run. */
export const fixture = (name: string): { readonly path: string; readonly skip: string | false } => {
  const path = join(folder, name)
  return { path, skip: existsSync(path) ? false : `there is no ${name} among the public test data: set DAYFLY_FIXTURES to their folder` }
}
