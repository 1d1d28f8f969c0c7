import { createHash } from 'node:crypto'
import { DayflyError } from '../../../base/errors.ts'
import { print, toPlain } from '../../../compose/print.ts'
import type { Command } from '../command.ts'
import { loadProject, projectOptions, tellWarnings } from '../project.ts'

const lines = (names: readonly string[]): string => names.map(name => `${name}\n`).join('')

const formatOf = (text: string | undefined, json: boolean): 'yaml' | 'json' => {
  if (text === undefined) return json ? 'json' : 'yaml'
  if (text === 'yaml' || text === 'json') return text
  throw new DayflyError('invalid', `--format: "${text}" is neither yaml nor json`, { field: '--format', remedy: 'Write it like --format json.' })
}

export const command: Command = {
  name: 'config',
  takes: ['[FILE...]'],
  summary: 'Check compose files, and print what they come to.',
  details: [
    'Variables are put in, files merged, short forms written out. What is wrong is told with its place; what Dayfly refuses, with the name of the policy.',
  ],
  completion: 'file',
  options: [
    ...projectOptions,
    { name: 'format', value: 'FORMAT', help: 'yaml (default) or json.', completion: ['yaml', 'json'] },
    { name: 'services', help: 'Only names of services.' },
    { name: 'volumes', help: 'Only names of volumes.' },
    { name: 'images', help: 'Only names of images.' },
    { name: 'profiles', help: 'Only names of profiles.' },
    { name: 'hash', value: 'SERVICE', help: 'A digest of what is said of a service, or of each with "*".' },
    { name: 'quiet', short: 'q', help: 'Print nothing: only check.' },
  ],
  examples: [
    ['dayfly config -q', 'is it right?'],
    ['dayfly config --format json | jq .services', 'for programs'],
  ],
  run: async (context, args) => {
    const { project, warnings } = await loadProject(context, args, args.positionals)
    const services = Object.entries(project.services).sort(([left], [right]) => (left < right ? -1 : 1))
    const hash = args.text('hash')
    if (args.flag('services')) context.write(lines(services.map(([name]) => name)))
    else if (args.flag('volumes')) context.write(lines(Object.keys(project.volumes).sort()))
    else if (args.flag('images')) context.write(lines(services.map(([name, { image }]) => image ?? `${project.name}-${name}`)))
    else if (args.flag('profiles')) {
      const all = Object.values({ ...project.services, ...project.disabled }).flatMap(({ profiles = [] }) => profiles)
      context.write(lines([...new Set(all)].sort()))
    } else if (hash !== undefined) {
      const chosen = services.filter(([name]) => hash === '*' || hash.split(',').includes(name))
      if (chosen.length === 0)
        throw new DayflyError('invalid', `--hash: there is no service ${hash}`, {
          field: '--hash',
          remedy: 'Write it like --hash web, or --hash "*".',
        })
      const plain = toPlain(project)['services']
      const digest = (name: string): string =>
        createHash('sha256')
          .update(JSON.stringify(typeof plain === 'object' && plain !== null ? Reflect.get(plain, name) : undefined))
          .digest('hex')
      context.write(lines(chosen.map(([name]) => `${name} ${digest(name)}`)))
    } else {
      tellWarnings(context, warnings)
      const format = formatOf(args.text('format'), context.json)
      if (!args.flag('quiet')) context.write(print(project, format))
    }
    return 0
  },
}
