import type { Command, CommandSummary } from './command.ts'
import type { Option } from './option.ts'
import { globalOptions } from './option.ts'

const optionLine = ({ name, short, value }: Option): string =>
  `  ${short === undefined ? '   ' : `-${short},`} --${name}${value === undefined ? '' : ` ${value}`}`

/** Left and right of lines in two columns; what is too long on the left has its right on the next line. */
const columns = (lines: readonly (readonly [string, string])[]): string[] => {
  const width = Math.min(32, Math.max(...lines.map(([left]) => left.length)) + 2)
  return lines.flatMap(([left, right]) => (left.length > width - 2 ? [left, `${' '.repeat(width)}${right}`] : [`${left.padEnd(width)}${right}`]))
}

const optionLines = (options: readonly Option[]): string[] =>
  columns(options.map(option => [optionLine(option), `${option.help}${option.repeats === true ? ' Repeatable.' : ''}`] as const))

export const commandHelp = (command: Command): string => {
  const usage = ['dayfly', command.name, ...(command.options.length === 0 ? [] : ['[OPTIONS]']), ...command.takes]
    .filter(word => word !== '')
    .join(' ')
  const sections = [
    [`Usage: ${usage}`],
    [command.summary],
    ...(command.details ?? []).map(paragraph => [paragraph]),
    ...(command.options.length === 0 ? [] : [['Options:', ...optionLines(command.options)]]),
    ['Global options:', ...optionLines(globalOptions)],
    ...(command.examples.length === 0
      ? []
      : [['Examples:', ...columns(command.examples.map(([line, does]) => [`  ${line}`, does] as const)).map(line => line.trimEnd())]]),
  ]
  return `${sections.map(lines => lines.join('\n')).join('\n\n')}\n`
}

export const overview = (commands: readonly CommandSummary[], within = ''): string => {
  const prefix = within === '' ? '' : `${within} `
  const sections = [
    [`Usage: dayfly ${prefix}COMMAND [OPTIONS]`],
    ...(within === '' ? [['Ephemeral environments that are safe by construction: isolated, leased, recorded, gone.']] : []),
    [
      'Commands:',
      ...columns(commands.filter(({ hidden }) => hidden !== true).map(({ name, summary }) => [`  ${name.slice(prefix.length)}`, summary] as const)),
    ],
    ['Global options:', ...optionLines([...globalOptions, ...(within === '' ? [{ name: 'version', help: 'Print the version.' }] : [])])],
    [`\`dayfly ${prefix}COMMAND --help\` tells more about a command.`],
  ]
  return `${sections.map(lines => lines.join('\n')).join('\n\n')}\n`
}
