/** Vulnerability data is brought in by a thread of its own, so that nobody waits for it: a million records take minutes of a processor. */
import { parentPort, workerData } from 'node:worker_threads'
import { z } from 'zod'
import { DayflyError, messageOf } from '../../base/errors.ts'
import { formats } from '../../scan/vulnerabilities/database.ts'
import { importVulnerabilities } from '../../scan/vulnerabilities/import.ts'

const Task = z.object({
  folder: z.string(),
  sources: z.array(z.object({ location: z.string(), format: z.enum(formats).optional() })),
  now: z.number(),
})

const port = parentPort
if (port !== null) {
  const { folder, sources, now } = Task.parse(workerData)
  const cancelling = new AbortController()
  // Anything that comes is the wish to stop.
  port.once('message', () => cancelling.abort())
  try {
    const wanted = sources.map(({ location, format }) => (format === undefined ? { location } : { location, format }))
    const onProgress = (location: string, records: number): void => port.postMessage({ progress: { location, records } })
    await importVulnerabilities(folder, wanted, { now, signal: cancelling.signal, onProgress })
    port.postMessage({ done: true })
  } catch (error) {
    const { code, field, remedy } = error instanceof DayflyError ? error : { code: 'internal', field: undefined, remedy: undefined }
    port.postMessage({ failure: { code, message: messageOf(error), field, remedy } })
  }
  port.close()
}
