/** A recorded environment, of a bundle or of the daemon: of whom the events are, and the events. */
import { createReadStream } from 'node:fs'
import { DayflyError } from '../../base/errors.ts'
import type { Subject } from '../../detect/detector.ts'
import { parseSubject } from '../../detect/subject.ts'
import { KernelEvent } from '../../model/kernel-event.ts'
import { BlockHead, memberNames } from '../../seal/bundle.ts'
import { linesOf } from '../../seal/lines.ts'
import { plainBytes } from '../../seal/open.ts'
import { readTar } from '../../seal/tar.ts'
import type { Context } from './command.ts'
import { kindOf } from './paths.ts'

/** A bundle's bytes: of the file with that name, or else of the ended environment that is called so, as the daemon exports it. */
export const openRecording = async ({ client }: Context, name: string): Promise<AsyncIterable<Uint8Array>> => {
  if ((await kindOf(name, 'ENV')) === 'file') return createReadStream(name)
  const { id } = await client.environment(name)
  return await client.exportRecord(id)
}

const corrupt = (message: string): DayflyError => new DayflyError('corrupt', `the bundle ${message}`, { remedy: 'Try `dayfly verify` on it.' })

const json = (line: Buffer, member: string): unknown => {
  try {
    return JSON.parse(line.toString())
  } catch {
    throw corrupt(`has a line in ${member} that is no JSON`)
  }
}

/** The subject of an entry that has one. */
const subjectOf = (entry: unknown): Subject | undefined => {
  if (typeof entry !== 'object' || entry === null || !('type' in entry) || entry.type !== 'sensor.totals' || !('data' in entry)) return undefined
  const { data } = entry
  return typeof data === 'object' && data !== null && 'subject' in data ? parseSubject(data.subject, `${memberNames.record}: subject`) : undefined
}

/** The kernel events of activity: of each block its head is passed over, for whether it is what was kept is what `dayfly verify` says. */
async function* eventsOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<KernelEvent> {
  let left = 0
  for await (const line of linesOf(content)) {
    const value = json(line, memberNames.activity)
    if (left === 0) {
      const head = BlockHead.safeParse(value)
      if (!head.success) throw corrupt('has no head where a block of activity begins')
      left = head.data.bytes
      continue
    }
    left -= line.length + 1
    if (left < 0) throw corrupt('has a block of activity that is longer than it says')
    if (typeof value === 'object' && value !== null && 'type' in value && value.type === 'sample') continue
    const event = KernelEvent.safeParse(value)
    if (!event.success) throw corrupt('has an entry of activity that is no event')
    yield event.data
  }
}

/** `hear` is asked once, with all subjects, before the first event is read. Throws `corrupt` for what is no bundle. */
export const readRecording = async <T>(
  bytes: AsyncIterable<Uint8Array>,
  hear: (subjects: readonly Subject[], events: AsyncIterable<KernelEvent>) => Promise<T>,
): Promise<T> => {
  const subjects: Subject[] = []
  for await (const { name, content } of readTar(plainBytes(bytes))) {
    if (name === memberNames.record) {
      for await (const line of linesOf(content)) {
        const subject = subjectOf(json(line, memberNames.record))
        if (subject !== undefined) subjects.push(subject)
      }
    }
    if (name === memberNames.activity) return await hear(subjects, eventsOf(content))
  }
  throw new DayflyError('not_found', 'nothing was kept of what it did', { remedy: 'Only environments that a sensor watched can be looked at again.' })
}
