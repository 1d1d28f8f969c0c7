/** What is no error but hardly meant. */
import type { FieldTable } from '../fields/field.ts'
import { findField } from '../fields/find.ts'
import type { WarningCode } from './diagnostic.ts'
import { transformers } from './syntax.ts'

interface Advice {
  readonly code: WarningCode
  readonly message: string
}

/** Nothing in it but what contains, startswith and endswith do as well. */
const isSimple = (pattern: string): boolean =>
  !/[.+*?^$()[\]{}|\\]/.test(
    pattern
      .replace(/^\^/, '')
      .replace(/\$$/, '')
      .replace(/^\.[+*?]/, '')
      .replace(/\.[+*?]$/, ''),
  )

const transformer = new RegExp(`^(?:val|${transformers.join('|')})\\(.*\\)$`)

/** On values that a field is compared with. */
export const adviceOn = (fields: FieldTable, left: string, operator: string, values: readonly string[]): readonly Advice[] => {
  const found: Advice[] = []
  const doubt = (message: string): void => void found.push({ code: 'LOAD_COMPILE_CONDITION', message })
  for (const value of values) {
    const spaceless = value.replace(/\s/g, '')
    if (operator === 'regex' && isSimple(value)) doubt(`regex with "${value}" is slower than =, contains, startswith or endswith, which would do`)
    if (/^[a-z]+\.[a-z0-9_.]+(?:\[[^\]]*\])?$/.test(spaceless) && findField(fields, spaceless.replace(/\[.*/, ''), undefined))
      doubt(`"${value}" is compared as text; if the field is meant, write val(${spaceless})`)
    if (transformer.test(spaceless)) doubt(`"${value}" is compared as text; if the transformer is meant, leave out the quotes`)
    if (value === '<NA>' && /^(?:ka|jevt)\./.test(left))
      found.push({ code: 'LOAD_UNSAFE_NA_CHECK', message: `${left} is compared with <NA>, which it never is: write ${left} exists` })
  }
  return found
}
