/** Writes the table of fields into docs/rules.md, between its two marks. `make docs` runs it; a test compares. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fieldsDocument } from '../src/detect/fields/table.ts'

const path = join(import.meta.dirname, '../docs/rules.md')
const text = readFileSync(path, 'utf8')
const [begin, end] = ['<!-- fields -->\n', '<!-- end of fields -->']
const [from, to] = [text.indexOf(begin), text.indexOf(end)]
if (from < 0 || to < from) throw new Error(`${path} has no ${begin.trim()} before its ${end}`)
writeFileSync(path, `${text.slice(0, from + begin.length)}${fieldsDocument()}${text.slice(to)}`)
