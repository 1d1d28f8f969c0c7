/** One thing that Dayfly needs of a host. */
export interface Check {
  readonly name: string
  /** `warn`: it works, but less well or not for everything. */
  readonly state: 'ok' | 'warn' | 'fail'
  /** What is there. */
  readonly found: string
  /** What to do; null when the state is ok. */
  readonly remedy: string | null
}

export const ok = (name: string, found: string): Check => ({ name, state: 'ok', found, remedy: null })
export const warn = (name: string, found: string, remedy: string): Check => ({ name, state: 'warn', found, remedy })
export const fail = (name: string, found: string, remedy: string): Check => ({ name, state: 'fail', found, remedy })
