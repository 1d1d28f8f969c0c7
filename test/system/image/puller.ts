/** A process that pulls: `node puller.ts FOLDER UNPACKER REFERENCE`. Prints each progress as a JSON line, then the digest. */
import { openImageStore } from '../../../src/host/image/open.ts'

const [folder = '', unpackBinary = '', reference = ''] = process.argv.slice(2)
await using store = await openImageStore({ folder, unpackBinary })
const image = await store.pull(reference, { onProgress: progress => process.stdout.write(`${JSON.stringify(progress)}\n`) })
process.stdout.write(`${image.digest}\n`)
