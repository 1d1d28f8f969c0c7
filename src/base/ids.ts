import { randomBytes } from 'node:crypto'

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz' // Crockford base 32: no i, l, o, u

const random = (length: number): string => Array.from(randomBytes(length), byte => alphabet[byte & 31]).join('')

/** 12 characters, 60 random bits; a prefix says what it names. */
export const newEnvironmentId = (): string => `e${random(11)}`
export const newInstanceId = (): string => `i${random(11)}`
/** Names a place that instances run in: one after another may have it, so it is not the instance's own. */
export const newCellId = (): string => `c${random(11)}`
export const newExecId = (): string => `x${random(11)}`
