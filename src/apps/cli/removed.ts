import type { RemovedView } from '../../api/schemas/images.ts'
import { formatBytes } from '../../base/bytes.ts'
import { printable } from './output.ts'

export const merged = (removed: readonly RemovedView[]): RemovedView => ({
  names: removed.flatMap(({ names }) => names),
  images: removed.flatMap(({ images }) => images),
  layers: removed.flatMap(({ layers }) => layers),
  freedBytes: removed.reduce((sum, { freedBytes }) => sum + freedBytes, 0),
})

/** A line for each thing that went, then the sum. */
export const freed = ({ names, images, layers, freedBytes }: RemovedView): string =>
  [
    ...names.map(name => `name   ${printable(name)}`),
    ...images.map(digest => `image  ${digest}`),
    ...layers.map(diffId => `layer  ${diffId}`),
    `freed ${formatBytes(freedBytes)}`,
    '',
  ].join('\n')
