/** What is wrong with rule files, or doubtful, told with its place. The codes are Falco's. */

export type ErrorCode =
  | 'LOAD_ERR_YAML_PARSE'
  | 'LOAD_ERR_YAML_VALIDATE'
  | 'LOAD_ERR_COMPILE_CONDITION'
  | 'LOAD_ERR_COMPILE_OUTPUT'
  | 'LOAD_ERR_VALIDATE'

/** The last two are Dayfly's own: a plugin, a field or an event type that it has not. */
export type WarningCode =
  | 'LOAD_UNKNOWN_SOURCE'
  | 'LOAD_UNSAFE_NA_CHECK'
  | 'LOAD_NO_EVTTYPE'
  | 'LOAD_UNKNOWN_FILTER'
  | 'LOAD_UNUSED_MACRO'
  | 'LOAD_UNUSED_LIST'
  | 'LOAD_UNKNOWN_ITEM'
  | 'LOAD_DEPRECATED_ITEM'
  | 'LOAD_APPEND_NO_VALUES'
  | 'LOAD_EXCEPTION_NAME_NOT_UNIQUE'
  | 'LOAD_INVALID_MACRO_NAME'
  | 'LOAD_INVALID_LIST_NAME'
  | 'LOAD_COMPILE_CONDITION'
  | 'LOAD_UNKNOWN_KEY'
  | 'LOAD_UNKNOWN_PLUGIN'
  | 'LOAD_LACKING'

/** Lines and columns count from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

export interface Diagnostic<Code extends string = ErrorCode | WarningCode> {
  readonly code: Code
  readonly place: Place
  /** Of what it is said, e.g. `rule "Terminal shell"`. */
  readonly item: string | undefined
  /** What stands at the place; '' where it is of the whole item. */
  readonly token: string
  readonly message: string
}

/** Where what is found goes. */
export interface Report {
  readonly error: (code: ErrorCode, place: Place, message: string, details?: { readonly item?: string | undefined; readonly token?: string }) => void
  readonly warning: (
    code: WarningCode,
    place: Place,
    message: string,
    details?: { readonly item?: string | undefined; readonly token?: string },
  ) => void
}

export interface Findings {
  readonly errors: readonly Diagnostic<ErrorCode>[]
  readonly warnings: readonly Diagnostic<WarningCode>[]
}

/** More than this of each kind is of no use to anybody. */
const most = 1000

export const createReport = (): { readonly report: Report; readonly findings: () => Findings } => {
  const errors: Diagnostic<ErrorCode>[] = []
  const warnings: Diagnostic<WarningCode>[] = []
  const add =
    <Code extends string>(to: Diagnostic<Code>[]) =>
    (code: Code, place: Place, message: string, { item, token = '' }: { item?: string | undefined; token?: string } = {}): void => {
      if (to.length < most) to.push({ code, place, item, token, message })
    }
  return { report: { error: add(errors), warning: add(warnings) }, findings: () => ({ errors, warnings }) }
}

/** `rules.yaml:12:14: rule "x": message (LOAD_…)` */
export const formatDiagnostic = ({ code, place, item, message }: Diagnostic): string =>
  `${place.file}:${place.line}:${place.column}: ${item === undefined ? '' : `${item}: `}${message} (${code})`
