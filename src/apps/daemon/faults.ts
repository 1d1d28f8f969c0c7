/** Faults of one request, to be told together: whoever has to change three things wants to know all three. */
import { DayflyError } from '../../base/errors.ts'

export interface Faults {
  /** A fault of the field at `path`; what the message begins with of the field's own name is taken off. */
  add(path: string, error: DayflyError): void
  /** The same by its words; `invalid`. */
  say(path: string, message: string, remedy?: string): void
  /** What `work` throws as a fault of `path`; undefined then. What is no DayflyError is thrown on. */
  of<T>(path: string, work: () => Promise<T>): Promise<T | undefined>
  throwIfAny(): void
}

interface Fault {
  readonly path: string
  readonly message: string
  readonly error: DayflyError
}

export const createFaults = (): Faults => {
  const faults: Fault[] = []
  const add = (path: string, error: DayflyError): void => {
    const own = error.field === undefined ? '' : `${error.field}: `
    faults.push({ path, error, message: error.message.startsWith(own) ? error.message.slice(own.length) : error.message })
  }
  return {
    add,
    say: (path, message, remedy) => add(path, new DayflyError('invalid', message, remedy === undefined ? {} : { remedy })),
    of: async (path, work) => {
      try {
        return await work()
      } catch (error) {
        // What the caller or the daemon has cancelled is no fault of a field.
        if (!(error instanceof DayflyError) || error.code === 'aborted' || error.code === 'unreachable') throw error
        add(path, error)
        return undefined
      }
    },
    throwIfAny: () => {
      const [first, ...more] = faults
      if (first === undefined) return
      const { path, error } = first
      if (more.length === 0) {
        throw new DayflyError(error.code, `${path}: ${first.message}`, {
          field: path,
          cause: error,
          ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
        })
      }
      // A remedy stands with its fault: only one alone can be the error's own.
      const lines = faults.map(fault => `${fault.path}: ${fault.message}${fault.error.remedy === undefined ? '' : `. ${fault.error.remedy}`}`)
      const code = more.every(fault => fault.error.code === error.code) ? error.code : 'invalid'
      throw new DayflyError(code, lines.join('\n'), { field: path })
    },
  }
}
