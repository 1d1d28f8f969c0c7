/** Files as they are read in one load: each is read and parsed once, and their number is bounded. */
import { posix } from 'node:path'
import { errnoOf, messageOf } from '../base/errors.ts'
import type { Problems } from './problems.ts'
import type { Sources } from './sources.ts'
import type { Node, Origin, Path } from './tree.ts'
import { parseYaml } from './yaml.ts'

/** Files named by one project, each mention counted: includes of includes could otherwise multiply without end. */
const maximumFiles = 1000

export class Reading {
  readonly sources: Sources
  readonly problems: Problems
  /** For `~` in paths; undefined when the caller has none. */
  readonly home: string | undefined
  /** Whether variables are put in; otherwise what has one stays as it is written. */
  readonly interpolates: boolean
  /** What secrets and configs hold that come from the environment, by `secrets.NAME` and `configs.NAME`. */
  readonly values = new Map<string, string>()
  readonly #documents = new Map<string, readonly Node[]>()
  readonly #texts = new Map<string, string | undefined>()
  #count = 0

  constructor(sources: Sources, problems: Problems, home: string | undefined, interpolates = true) {
    this.sources = sources
    this.problems = problems
    this.home = home
    this.interpolates = interpolates
  }

  /** The text of a file; undefined when it cannot be read, which is told as a problem of `origin`. */
  async text(path: string, what: string, origin: Origin | undefined, field: Path): Promise<string | undefined> {
    if (++this.#count > maximumFiles) {
      this.problems.error(origin, field, `this project names more than ${maximumFiles} files`)
      return undefined
    }
    if (this.#texts.has(path)) return this.#texts.get(path)
    let text: string | undefined
    try {
      text = await this.sources.read(path)
    } catch (error) {
      const gone = errnoOf(error) === 'ENOENT'
      this.problems.error(origin, field, gone ? `the ${what} ${path} does not exist` : `the ${what} ${path} cannot be read: ${messageOf(error)}`)
    }
    this.#texts.set(path, text)
    return text
  }

  /** The documents of a compose file; none when it cannot be read. */
  async documents(path: string, origin: Origin | undefined, field: Path): Promise<readonly Node[]> {
    const text = await this.text(path, 'file', origin, field)
    if (text === undefined) return []
    const known = this.#documents.get(path)
    if (known !== undefined) return known
    const documents = parseYaml(text, path, this.problems)
    this.#documents.set(path, documents)
    return documents
  }

  /** An absolute path; `~` is the caller's home. */
  path(folder: string, path: string): string {
    const expanded = this.home !== undefined && /^~(\/|$)/.test(path) ? posix.join(this.home, path.slice(1)) : path
    return posix.isAbsolute(expanded) ? expanded : posix.join(folder, expanded).replace(/(.)\/$/, '$1')
  }
}

/** Whether something that names a file means one elsewhere. */
export const isRemote = (text: string): boolean => /^(https?|git|ssh|oci):\/\/|^git@|^github\.com\/|\.git(#|$)/.test(text)
