import type { ChangeView } from '../../api/schemas/workloads.ts'
import type { Paint } from './output.ts'
import { printable } from './output.ts'

const signs = { added: '+', changed: '~', removed: '-' } as const
const styles = { added: 'green', changed: 'yellow', removed: 'red' } as const
const effects = { started: 'is started', replaced: 'is replaced, one instance after another', stopped: 'is stopped', kept: '' } as const

/** A line for each change: `~ workload web: image, env.DEBUG (is replaced, one instance after another)`. */
export const changeLines = (changes: readonly ChangeView[], paint: Paint): string[] =>
  changes.map(({ subject, name, kind, fields, effect }) => {
    const what = `${signs[kind]} ${subject}${name === '' ? '' : ` ${printable(name)}`}`
    const which = fields.length === 0 ? '' : `: ${printable(fields.join(', '))}`
    const then = effects[effect] === '' ? '' : paint('dim', ` (${effects[effect]})`)
    return `${paint(styles[kind], what)}${which}${then}`
  })
