/** Filling a volume from a tar stream: by the unpacker of image layers, which trusts no archive. */
import { DayflyError } from '../../base/errors.ts'
import { unpack } from '../../host/image/unpack.ts'
import type { Resources } from './resources.ts'

const maximumBytes = 64 * 1024 ** 3
const maximumEntries = 2_000_000

/** Owners are the archive's numbers: the container sees them so. Throws `invalid`, field `volume`, for an archive that is damaged or hostile. */
export const seedFrom = async (
  binary: string,
  resources: Resources,
  volume: string,
  tar: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> => {
  await resources.seed(volume, async folder => {
    const what = `the seed of volume ${volume}`
    try {
      await unpack({ binary, maximumBytes, maximumEntries }, { folder, from: { bytes: tar }, what, rootFileSystem: true, signal })
    } catch (error) {
      if (!(error instanceof DayflyError && error.code === 'corrupt')) throw error
      throw new DayflyError('invalid', error.message, {
        field: 'volume',
        remedy: 'Make the archive again, of plain files and folders.',
        cause: error,
      })
    }
  })
}
