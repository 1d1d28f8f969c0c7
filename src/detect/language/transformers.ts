/** `tolower(…)` and the like. All throw RangeError, with words for the author, for arguments that they do not take. */
import type { EventContext } from '../fields/context.ts'
import type { BoundField, Reader, Scalar, Value } from '../fields/field.ts'
import { optionsIn, readOptions } from './getopt.ts'
import type { Transformer } from './syntax.ts'

/** What a transformer is given: a field, what another transformer made, a literal, or a list of these. `constant`: it is a literal. */
export interface Given extends BoundField {
  readonly constant?: string
  readonly asList?: Reader | undefined
}

const isSeveral = (value: Value): value is readonly Scalar[] => Array.isArray(value)
export const textOf = (value: Scalar): string => (typeof value === 'object' ? Buffer.from(value).toString() : String(value))

/** Applied to each value of a list. `change` returns undefined where there is nothing to be had. */
const mapped =
  (read: Reader, change: (text: string) => string | undefined): Reader =>
  context => {
    const value = read(context)
    if (value === undefined) return undefined
    if (!isSeveral(value)) return change(textOf(value))
    const changed = value.map(scalar => change(textOf(scalar)))
    return changed.every(text => text !== undefined) ? changed : undefined
  }

const decode = (text: string): string | undefined => (/^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, 'base64').toString() : undefined)
const changes = {
  tolower: (text: string) => text.toLowerCase(),
  toupper: (text: string) => text.toUpperCase(),
  b64: decode,
  basename: (text: string) => text.slice(text.lastIndexOf('/') + 1),
} as const

const changeText = (name: keyof typeof changes, given: Given): BoundField => {
  if (given.type !== 'string' && !(given.type === 'bytes' && name !== 'basename'))
    throw new RangeError(`${name}() takes text, not what is of type ${given.type}`)
  return { type: 'string', holds: given.holds, read: mapped(given.read, changes[name]) }
}

/** Of text the bytes, of a list the values. */
const length = (given: Given): BoundField => {
  if (given.holds !== 'list' && given.type !== 'string' && given.type !== 'bytes')
    throw new RangeError(`len() takes text or a list, not what is of type ${given.type}`)
  const lengthOf = (value: Value): number => {
    if (isSeveral(value)) return value.length
    return typeof value === 'object' ? value.length : Buffer.byteLength(String(value))
  }
  const { read } = given
  return {
    type: 'number',
    holds: 'one',
    read: context => {
      const value = read(context)
      return value === undefined ? undefined : lengthOf(value)
    },
  }
}

const one = (given: Given | undefined, name: string, which: string): Given => {
  if (!given || given.holds === 'list') throw new RangeError(`${which} of ${name}() is one value, not a list`)
  return given
}

const several = (given: Given | undefined, name: string, which: string): Reader => {
  const read = given?.holds === 'list' ? given.read : given?.asList
  if (!read) throw new RangeError(`${which} of ${name}() is a list, like ("a", proc.name)`)
  return read
}

const readOne = (read: Reader, context: EventContext): string | undefined => {
  const value = read(context)
  return value === undefined || isSeveral(value) ? undefined : textOf(value)
}

const readSeveral = (read: Reader, context: EventContext): readonly string[] | undefined => {
  const value = read(context)
  if (value === undefined) return undefined
  return isSeveral(value) ? value.map(textOf) : [textOf(value)]
}

const join = (given: readonly Given[]): BoundField => {
  if (given.length !== 2) throw new RangeError('join() takes two arguments: what goes between, and a list')
  const separator = one(given[0], 'join', 'the first argument').read
  const list = several(given[1], 'join', 'the second argument')
  return {
    type: 'string',
    holds: 'one',
    read: context => {
      const [between, items] = [readOne(separator, context), readSeveral(list, context)]
      return between === undefined || !items ? undefined : items.join(between)
    },
  }
}

const concat = (given: readonly Given[]): BoundField => {
  if (given.length < 2) throw new RangeError('concat() takes at least two arguments')
  const readers = given.map(argument => {
    if (one(argument, 'concat', 'an argument').type !== 'string') throw new RangeError(`concat() takes text, not what is of type ${argument.type}`)
    return argument.read
  })
  return {
    type: 'string',
    holds: 'one',
    read: context => {
      let text = ''
      for (const read of readers) {
        const part = readOne(read, context)
        if (part === undefined) return undefined
        text += part
      }
      return text
    },
  }
}

const getopt = (given: readonly Given[], argument: string | undefined): BoundField => {
  if (given.length !== 2) throw new RangeError('getopt() takes two arguments: a list of arguments, and the options as getopt(3) has them')
  const list = several(given[0], 'getopt', 'the first argument')
  const options = one(given[1], 'getopt', 'the second argument')
  if (options.type !== 'string' || given[0]?.type !== 'string') throw new RangeError('getopt() takes text')
  if (argument !== undefined && argument.length !== 1) throw new RangeError('in the brackets after getopt() stands one option, a single character')
  const constant = options.constant === undefined ? undefined : readOptions(options.constant)
  return {
    type: 'string',
    holds: argument === undefined ? 'list' : 'one',
    read: context => {
      const items = readSeveral(list, context)
      const known = constant ?? readOptions(readOne(options.read, context) ?? '')
      return items && optionsIn(items, known, argument)
    },
  }
}

/** What a transformer makes of what it is given. `argument` stands in brackets behind it; only getopt() takes one. */
export const transform = (name: Transformer, given: readonly Given[], argument: string | undefined): BoundField => {
  if (name === 'getopt') return getopt(given, argument)
  if (argument !== undefined) throw new RangeError(`nothing in brackets follows ${name}()`)
  if (name === 'join') return join(given)
  if (name === 'concat') return concat(given)
  const [first] = given
  if (!first || given.length > 1) throw new RangeError(`${name}() takes one argument`)
  return name === 'len' ? length(first) : changeText(name, first)
}
