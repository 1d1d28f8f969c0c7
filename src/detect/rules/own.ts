/** Dayfly's own rules: the YAML files of this folder, in the order of their names. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RuleSource } from '../language/rule.ts'

/** Read each time: whoever asks, asks seldom. */
export const ownRules = (): readonly RuleSource[] =>
  readdirSync(import.meta.dirname)
    .filter(name => name.endsWith('.yaml'))
    .sort()
    .map(name => ({ name: `dayfly/${name}`, text: readFileSync(join(import.meta.dirname, name), 'utf8') }))
