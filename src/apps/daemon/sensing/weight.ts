/** What entries are reckoned at while they wait: the number alone says little of what a workload makes of an argument or a path. */
import type { Activity } from '../../../model/activity.ts'
import type { SensedEvent } from '../../../model/kernel-event.ts'

/** Bytes of an entry without its texts. */
const bare = 256

const lengthOf = (text: string | undefined): number => (text === undefined ? 0 : 2 * text.length)

/** Bytes, roughly: texts at two a character. */
export const weightOf = (entry: Activity | SensedEvent): number => {
  if (entry.type === 'sample') return bare
  const { args, exe, path, target, directory, cwd, detail } = entry
  let weight = bare + lengthOf(exe) + lengthOf(path) + lengthOf(target) + lengthOf(directory) + lengthOf(cwd) + lengthOf(detail)
  for (const argument of args ?? []) weight += 16 + lengthOf(argument)
  return weight
}
