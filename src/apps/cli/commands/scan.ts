import { DayflyError } from '../../../base/errors.ts'
import { readVersion } from '../../../base/version.ts'
import { severities } from '../../../model/finding.ts'
import type { Report } from '../../../scan/report/report.ts'
import type { Choice, Threshold } from '../../../scan/report/selection.ts'
import { fails, parseSeverity, parseThreshold, select } from '../../../scan/report/selection.ts'
import type { Arguments } from '../arguments.ts'
import type { Command, Context } from '../command.ts'
import { formatOf } from '../format.ts'
import { readTextFile, writeTextFile } from '../paths.ts'
import { dataFolder, readVex } from '../scan/data.ts'
import type { OwnScanOptions } from '../scan/folder.ts'
import { gitleaksOption, readGitleaks } from '../scan/gitleaks.ts'
import { deliver, render, scanFormats, widthOf } from '../scan/output.ts'
import type { Scanned } from '../scan/result.ts'
import type { Subject } from '../scan/target.ts'
import { subjectOf } from '../scan/target.ts'

const severityWords = severities.toReversed()

/** What is about images does not concern a folder, and the other way round: silence would be taken for an effect. */
const checkOptions = (args: Arguments, { kind }: Subject): void => {
  const foreign = kind === 'image' ? ['gitleaks', 'skip', 'db'] : kind === 'compose' ? ['skip', 'db'] : ['pull']
  const given = foreign.find(name => args.has(name))
  if (given === undefined) return
  const what = kind === 'image' ? 'an image' : kind === 'compose' ? 'a compose file' : 'a folder'
  throw new DayflyError('invalid', `--${given}: it has no effect on ${what}`, {
    field: `--${given}`,
    remedy: given === 'db' || kind === 'image' ? 'Leave it out: the daemon scans images, with its own rules and data.' : 'Leave it out.',
  })
}

const ownOptions = async (context: Context, args: Arguments, now: number): Promise<OwnScanOptions> => {
  const gitleaks = await readGitleaks(args.list('gitleaks'), context.say)
  return {
    ...{ gitleaks, skip: args.list('skip'), vex: await readVex(args.list('vex')), db: dataFolder(args.text('db'), context), now },
    signal: new AbortController().signal,
  }
}

const pulls = ['missing', 'always', 'never'] as const

const pullOf = (text: string | undefined): (typeof pulls)[number] => {
  const found = pulls.find(when => when === (text ?? 'missing'))
  if (found !== undefined) return found
  throw new DayflyError('invalid', `--pull: "${text}" is not one of ${pulls.join(', ')}`, {
    field: '--pull',
    remedy: 'Write it like --pull missing.',
  })
}

const scanSubject = async (context: Context, args: Arguments, subject: Subject, now: number): Promise<Scanned> => {
  const pull = pullOf(args.text('pull'))
  if (subject.kind === 'image') {
    const { scanImage } = await import('../scan/image.ts')
    return await scanImage(context, subject, { pull, vex: await readVex(args.list('vex')), now })
  }
  const options = await ownOptions(context, args, now)
  if (subject.kind === 'folder') {
    const { scanOwnFolder } = await import('../scan/folder.ts')
    return await scanOwnFolder(subject, options)
  }
  const [{ scanCompose }, { withImages }] = await Promise.all([import('../scan/compose.ts'), import('../scan/image.ts')])
  return await withImages(context, await scanCompose(context, subject, options), { pull, vex: options.vex, now })
}

/** Passing without having looked would be worse than failing. */
const requireData = ({ packages, dataFrom }: Scanned, thresholds: readonly Threshold[]): void => {
  if (packages.length === 0 || dataFrom !== undefined || thresholds.every(({ kind }) => kind !== undefined && kind !== 'vulnerability')) return
  throw new DayflyError('invalid', `--fail-on: packages were found (${packages.length}), and no vulnerability data about them`, {
    field: '--fail-on',
    remedy: 'Fetch some (dayfly vulndb update --db FOLDER), name where it is (--db FOLDER), or ask for other kinds only (--fail-on high,secret).',
  })
}

const choiceOf = async (args: Arguments): Promise<Choice> => {
  const severity = args.text('severity')
  const file = args.text('baseline')
  const { readBaseline } = await import('../../../scan/report/baseline.ts')
  return {
    severity: severity === undefined ? 'unknown' : parseSeverity(severity, '--severity'),
    ignoreUnfixed: args.flag('ignore-unfixed'),
    baseline: file === undefined ? new Set() : readBaseline(await readTextFile(file, '--baseline'), file),
  }
}

export const command: Command = {
  name: 'scan',
  takes: ['TARGET...'],
  summary: 'Find vulnerabilities, secrets and misconfigurations.',
  details: [
    'TARGET is a folder or files (what is installed or locked in it, and secrets), a compose file (secrets in it and in the folders that it builds from, what Dayfly refuses of it, how it names images) or an image. Folders and compose files are looked at here and without a daemon; images by the daemon, those of a compose file only where one answers. What version control keeps (.git) is passed by.',
    'Exit code 0: nothing reaches a --fail-on. 1: something does. 2: bad input, which includes --fail-on over packages that there is no vulnerability data about.',
    'With a baseline only what is not in it is shown and fails. Severities are critical, high, medium, low, negligible and unknown, which is the least.',
  ],
  completion: 'file',
  options: [
    { name: 'format', value: 'FORMAT', help: `${scanFormats.join(', ')}. Default: table.`, completion: scanFormats },
    { name: 'output', short: 'o', value: 'FILE', help: 'Write it there.', completion: 'file' },
    {
      name: 'fail-on',
      value: 'SEVERITY[,KIND]',
      repeats: true,
      help: 'Exit with 1 for findings that are at least so severe, of that kind or any.',
      completion: severityWords,
    },
    { name: 'severity', value: 'SEVERITY', help: 'Show only what is at least so severe.', completion: severityWords },
    { name: 'ignore-unfixed', help: 'Leave out vulnerabilities that nothing fixes yet.' },
    { name: 'baseline', value: 'FILE', help: 'Leave out what is in it.', completion: 'file' },
    { name: 'write-baseline', value: 'FILE', help: 'Write all that was found there, as a baseline.', completion: 'file' },
    { name: 'db', value: 'FOLDER', help: 'Vulnerability data. Default: $XDG_CACHE_HOME/dayfly/vulndb, or else the daemon’s.', completion: 'file' },
    { name: 'pull', value: 'WHEN', help: 'Of images: missing (default), always or never.', completion: pulls },
    { name: 'vex', value: 'FILE', repeats: true, help: 'OpenVEX document: what it says is not_affected or fixed is left out.', completion: 'file' },
    gitleaksOption,
    { name: 'skip', value: 'PATTERN', repeats: true, help: 'Pass by what it matches: a name like *.lock, or a path like docs/**.' },
    { name: 'files', help: 'TARGETs are files and folders, whatever they are called and hold: a compose file is one of them.' },
    { name: 'quiet', short: 'q', help: 'Print nothing: only the exit code and --output.' },
  ],
  examples: [
    ['dayfly scan .', 'what is wrong with this folder'],
    ['dayfly scan . --fail-on high --baseline known.json', 'fail for what is new'],
    ['dayfly scan . --format sarif -o scan.sarif', 'for code scanning'],
    ['dayfly scan compose.yaml --fail-on medium,secret', 'fail for secrets in a compose file'],
  ],
  run: async (context, args) => {
    const now = Date.now()
    const format = formatOf(args, context.json, scanFormats)
    const thresholds = args.list('fail-on').map(text => parseThreshold(text, '--fail-on'))
    const choice = await choiceOf(args)
    const subject = await subjectOf(args.positionals, process.cwd(), args.flag('files'))
    checkOptions(args, subject)
    const scanned = await scanSubject(context, args, subject, now)
    requireData(scanned, thresholds)
    const { counting, shown, leftOut } = select(scanned.findings, choice)
    const { findings: all, ...rest } = scanned
    const report: Report = { ...rest, version: readVersion(), at: now, findings: shown, leftOut }
    const output = args.text('output')
    const failing = (finding: (typeof shown)[number]): boolean => thresholds.length === 0 || fails(thresholds, finding)
    const text = await render(format, { report, all, fails: failing, colour: context.colour && output === undefined, width: widthOf(output) })
    const baseline = args.text('write-baseline')
    if (baseline !== undefined) {
      const { writeBaseline } = await import('../../../scan/report/baseline.ts')
      writeTextFile(baseline, writeBaseline(select(all, { ...choice, baseline: new Set() }).counting), '--write-baseline')
    }
    if (output !== undefined || !args.flag('quiet')) await deliver(context, output, text)
    return counting.some(finding => fails(thresholds, finding)) ? 1 : 0
  },
}
