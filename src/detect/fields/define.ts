import type { Field, FieldType, Reader } from './field.ts'

type Extra = Partial<Pick<Field, 'costly' | 'asList' | 'deprecated' | 'plain' | 'conditionOnly' | 'holds'>>

/** A field without an argument. */
export const field = (name: string, type: FieldType, doc: string, read: Reader, extra: Extra = {}): Field => ({
  name,
  type,
  doc,
  ...extra,
  bind: () => read,
})

/** One that Dayfly cannot know, and why. */
export const lackingField = (
  name: string,
  type: FieldType,
  reason: string,
  extra: Partial<Pick<Field, 'argument' | 'deprecated' | 'holds'>> = {},
): Field => ({
  name,
  type,
  doc: '',
  lacking: reason,
  ...extra,
  bind: () => () => undefined,
})

/** Wall-clock ms, with microseconds as its fraction, in ns: exact to the microsecond. */
export const nanoseconds = (milliseconds: number): number => Math.round(milliseconds * 1000) * 1000
