/** A report in the format that was asked for. Each format's module is loaded when it is needed. */
import type { Finding } from '../../../model/finding.ts'
import type { Report } from '../../../scan/report/report.ts'
import type { Context } from '../command.ts'

export const scanFormats = ['table', 'json', 'sarif', 'junit', 'cyclonedx', 'spdx', 'openvex'] as const
export type ScanFormat = (typeof scanFormats)[number]

export interface Rendering {
  readonly report: Report
  /** Those whose severity does not matter to a list of parts: all that were found, settled by VEX or not. */
  readonly all: readonly Finding[]
  readonly fails: (finding: Finding) => boolean
  readonly colour: boolean
  /** Columns; undefined: nothing is cut off. */
  readonly width: number | undefined
}

const pretty = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

const bom = ({ report, all }: Rendering) => {
  const { target, distribution, packages, problems, at, version } = report
  const contents = {
    subject: {
      kind: target.kind === 'image' ? 'image' : 'folder',
      name: target.name,
      ...(target.digest === undefined ? {} : { digest: target.digest }),
    } as const,
    ...{ distribution, packages, complete: problems.length === 0 },
    findings: all.filter(finding => finding.kind === 'vulnerability'),
  }
  return [contents, { at, version }] as const
}

export const render = async (format: ScanFormat, rendering: Rendering): Promise<string> => {
  const { report, fails, colour, width } = rendering
  switch (format) {
    case 'table': {
      const [{ table }, { painter }] = await Promise.all([import('../../../scan/report/table.ts'), import('../output.ts')])
      return table(report, { width, paint: painter(colour) })
    }
    case 'json':
      return pretty((await import('../../../scan/report/json.ts')).scanDocument(report))
    case 'sarif':
      return pretty((await import('../../../scan/report/sarif.ts')).sarif(report))
    case 'junit':
      return (await import('../../../scan/report/junit.ts')).junit(report, fails)
    case 'cyclonedx':
      return pretty((await import('../../../scan/sbom/cyclonedx.ts')).cyclonedx(...bom(rendering)))
    case 'spdx':
      return pretty((await import('../../../scan/sbom/spdx.ts')).spdx(...bom(rendering)))
    case 'openvex': {
      const { imageProduct, vexDocument } = await import('../../../scan/vulnerabilities/vex.ts')
      const { name, digest } = report.target
      const product = digest === undefined ? undefined : imageProduct(name, digest)
      const vulnerabilities = rendering.all.filter(finding => finding.kind === 'vulnerability')
      return pretty(vexDocument(vulnerabilities, { author: 'dayfly scan', product, digest, now: report.at }))
    }
  }
}

/** Of standard output, where a table goes there and it is a terminal. */
export const widthOf = (output: string | undefined): number | undefined =>
  output === undefined && process.stdout.isTTY ? process.stdout.columns : undefined

/** To the file of `--output`, or to standard output. */
export const deliver = async (context: Context, output: string | undefined, text: string): Promise<void> => {
  if (output === undefined || output === '-') return context.write(text)
  const { writeTextFile } = await import('../paths.ts')
  writeTextFile(output, text, '--output')
}
