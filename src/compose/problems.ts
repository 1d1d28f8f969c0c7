import { DayflyError } from '../base/errors.ts'
import type { Origin, Path } from './tree.ts'
import { pathText } from './tree.ts'

/** One thing that is wrong. */
export interface Problem {
  /** Relative to the project folder where it lies in it; empty when no file is at fault. */
  readonly file: string
  /** From 1; 0 when no place in a file is at fault. */
  readonly line: number
  readonly column: number
  /** `services.web.ports[0]`; empty when it is about the whole. */
  readonly path: string
  readonly message: string
  readonly remedy?: string
  /** The control that refuses it, e.g. `Privileged containers`; absent when it is no valid compose file in the first place. */
  readonly policy?: string
}

/**
 * `ignored`: has no effect in Dayfly · `deprecated`: works, but has a successor · `unset`: a variable that is not set, blank here ·
 * `unused`: declared, and no enabled service uses it · `notice`: anything else worth knowing.
 */
export type WarningKind = 'ignored' | 'deprecated' | 'unset' | 'unused' | 'notice'

export interface Warning {
  readonly kind: WarningKind
  readonly file: string
  readonly line: number
  readonly column: number
  readonly path: string
  readonly message: string
}

const place = ({ file, line, column }: Problem): string => (file === '' ? '' : line === 0 ? `${file}: ` : `${file}:${line}:${column}: `)

/** One problem in one line: `compose.yaml:3:5: services.web.ports[0]: … `. */
export const problemText = (problem: Problem): string =>
  `${place(problem)}${problem.path === '' ? '' : `${problem.path}: `}${problem.message}${problem.policy === undefined ? '' : ` (policy: ${problem.policy})`}`

/** `invalid`, with every problem that was found, a line each; the first one's field. */
export class InvalidCompose extends DayflyError {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    const [first] = problems
    // A remedy stands with its problem: only one alone can be the error's own.
    const lines = problems.map(problem =>
      problems.length === 1 || problem.remedy === undefined
        ? problemText(problem)
        : `${problemText(problem).replace(/([^?])$/, '$1.')} ${problem.remedy}`,
    )
    super('invalid', lines.join('\n'), {
      ...(first !== undefined && first.path !== '' ? { field: first.path } : {}),
      ...(problems.length > 1 || first?.remedy === undefined ? {} : { remedy: first.remedy }),
    })
    this.problems = problems
  }
}

const nowhere: Origin = { file: '', line: 0, column: 0 }

/** More than this many are not read by anybody, and a hostile file could make millions. */
const most = 100

/** Collects what is wrong and what is worth a warning while files are read, each once. */
export class Problems {
  readonly #problems = new Map<string, Problem>()
  readonly #warnings = new Map<string, Warning>()
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder.endsWith('/') ? folder : `${folder}/`
  }

  #place(origin: Origin | undefined): Origin {
    const { file, line, column } = origin ?? nowhere
    return { file: file.startsWith(this.#folder) ? file.slice(this.#folder.length) : file, line, column }
  }

  error(origin: Origin | undefined, path: Path, message: string, more: { remedy?: string; policy?: string } = {}): void {
    if (this.#problems.size >= most) return
    const problem: Problem = { ...this.#place(origin), path: pathText(path), message, ...more }
    const { file, line, column } = problem
    this.#problems.set(JSON.stringify([file, line, column, message]), problem)
  }

  warn(kind: WarningKind, origin: Origin | undefined, path: Path, message: string): void {
    if (this.#warnings.size >= most * 10) return
    const warning: Warning = { kind, ...this.#place(origin), path: pathText(path), message }
    const { file, line, column } = warning
    this.#warnings.set(JSON.stringify([file, line, column, message]), warning)
  }

  get failed(): boolean {
    return this.#problems.size > 0
  }

  get warnings(): Warning[] {
    return [...this.#warnings.values()]
  }

  /** Throws `InvalidCompose` when anything was wrong, in the order of files and lines. */
  throwIfAny(): void {
    if (!this.failed) return
    const order = [...new Set([...this.#problems.values()].map(problem => problem.file))]
    const sorted = [...this.#problems.values()].sort(
      (left, right) => order.indexOf(left.file) - order.indexOf(right.file) || left.line - right.line || left.column - right.column,
    )
    throw new InvalidCompose(sorted)
  }
}
