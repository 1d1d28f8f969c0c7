import type { ImageDetailView, ScanSummary } from '../../../api/schemas/images.ts'
import { formatBytes } from '../../../base/bytes.ts'
import type { Command } from '../command.ts'
import type { Paint } from '../output.ts'
import { fields, painter, printable, shortDigest, table, timestamp } from '../output.ts'

const list = (values: readonly string[]): string => (values.length === 0 ? '-' : printable(values.join(', ')))

/** `2 critical, 1 high`, worst first. */
const severitiesOf = ({ vulnerabilities }: ScanSummary): string => {
  const worst = (['critical', 'high', 'medium', 'low', 'negligible', 'unknown'] as const).filter(severity => vulnerabilities[severity] > 0)
  return worst.length === 0 ? 'none known' : worst.map(severity => `${vulnerabilities[severity]} ${severity}`).join(', ')
}

const scanFields = (scan: ScanSummary | null): (readonly [string, string])[] =>
  scan === null
    ? [['scanned', 'nobody could look at it']]
    : [
        ['scanned', `${timestamp(scan.scannedAt)}${scan.problems === 0 ? '' : `, ${scan.problems} things could not be understood`}`],
        ['packages', String(scan.packages)],
        ['vulnerabilities', scan.dataFrom === null ? 'no data: dayfly vulndb update' : `${severitiesOf(scan)} (data of ${timestamp(scan.dataFrom)})`],
        ['secrets', String(scan.secrets)],
        ['misconfigurations', String(scan.misconfigurations)],
      ]

const textOf = (image: ImageDetailView, paint: Paint): string => {
  const { config, platform } = image
  const head = fields(
    [
      ['names', list(image.names)],
      ['config', image.configDigest],
      ['media type', printable(image.mediaType)],
      ['platform', [platform.os, platform.architecture, ...(platform.variant === null ? [] : [platform.variant])].join('/')],
      ['created', image.createdAt === null ? '-' : timestamp(image.createdAt)],
      ['pulled', timestamp(image.pulledAt)],
      ['size', formatBytes(image.size)],
      ['entry point', printable(JSON.stringify(config.entrypoint))],
      ['command', printable(JSON.stringify(config.cmd))],
      ['environment', list(Object.entries(config.env).map(([name, value]) => `${name}=${value}`))],
      ['user', config.user === '' ? '0' : printable(config.user)],
      ['workdir', printable(config.workingDir)],
      ['stop signal', config.stopSignal],
      ['ports', list(config.exposedPorts)],
      ['volumes', list(config.volumes)],
      ['labels', list(Object.entries(config.labels).map(([name, value]) => `${name}=${value}`))],
      ...scanFields(image.scan),
    ],
    paint,
    '  ',
  )
  const rows = image.layers.map(layer => [
    shortDigest(layer.diffId),
    shortDigest(layer.blobDigest),
    formatBytes(layer.blobBytes),
    formatBytes(layer.bytes),
    String(layer.images),
  ])
  const history = image.history.map(step => `  ${printable(step)}\n`).join('')
  return `${paint('bold', `image ${image.digest}`)}\n${head}\n${table(['LAYER', 'BLOB', 'BLOB SIZE', 'SIZE', 'IMAGES'], rows, paint)}${history === '' ? '' : `\n${paint('bold', 'history')}\n${history}`}`
}

export const command: Command = {
  name: 'image inspect',
  takes: ['NAME...'],
  summary: 'Show all there is to know of an image.',
  completion: 'image',
  options: [],
  examples: [['dayfly image inspect debian:12', 'its layers, history and configuration, and what a scan found']],
  run: async (context, args) => {
    const images: ImageDetailView[] = []
    for (const name of args.positionals) images.push(await context.client.image(name))
    const paint = painter(context.colour)
    context.write(context.json ? images.map(image => `${JSON.stringify(image)}\n`).join('') : images.map(image => textOf(image, paint)).join('\n'))
    return 0
  },
}
