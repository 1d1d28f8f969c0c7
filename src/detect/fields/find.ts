import type { BoundField, Field, FieldTable, Reader } from './field.ts'

/** A field and its argument: what comes after the dot (`evt.arg.flags`) or stands in brackets (`proc.aname[2]`). Undefined when there is no such field. */
export const findField = (
  fields: FieldTable,
  name: string,
  argument: string | undefined,
): { readonly field: Field; readonly argument: string | undefined } | undefined => {
  const exact = fields.get(name)
  if (exact) return { field: exact, argument }
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    const field = fields.get(name.slice(0, dot))
    if (field?.argument?.dotted && argument === undefined) return { field, argument: name.slice(dot + 1) }
  }
  return undefined
}

/** Throws RangeError, in words for the author of the rule, when the argument is missing, is one too many, or means nothing. */
export const bindField = (field: Field, argument: string | undefined): BoundField => {
  const { name, type, holds = 'one' } = field
  if (argument !== undefined && !field.argument) throw new RangeError(`${name} takes no argument in brackets`)
  if (argument === undefined && field.argument?.need === 'required')
    throw new RangeError(
      `${name} needs an argument: ${field.argument.dotted ? `${name}.NAME or ` : ''}${name}[${field.argument.kind === 'index' ? 'N' : 'NAME'}]`,
    )
  if (argument !== undefined && field.argument?.kind === 'index' && !field.argument.dotted && !/^\d{1,9}$/.test(argument))
    throw new RangeError(`${name}[…] takes a number, not "${argument}"`)
  const bound: Reader | Pick<BoundField, 'holds' | 'read'> = field.bind(argument)
  return typeof bound === 'function' ? { type, holds, read: bound } : { type, ...bound }
}
