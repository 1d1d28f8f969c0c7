/** Prints docs/cli.md: the help of every command, as the command line itself prints it. `make docs` writes it; a test compares. */
import { commands } from '../src/apps/cli/commands.ts'
import { commandHelp, overview } from '../src/apps/cli/help.ts'

const fenced = (text: string): string => `\`\`\`\n${text.trimEnd()}\n\`\`\``

export const cliDocument = async (): Promise<string> => {
  const shown = commands.filter(({ hidden }) => hidden !== true)
  const sections = await Promise.all(shown.map(async ({ name, load }) => `## dayfly ${name}\n\n${fenced(commandHelp((await load()).command))}`))
  return [
    '# The command line',
    'Written by `make docs` from the program itself.',
    'Exit codes are the command’s own. Dayfly’s are docker’s: 125 when Dayfly could not do it, 126 and 127 when the command could not be run or found, 128+n after signal n. Bad input is 2, and then nothing was created: where docker has 125 for everything that keeps a container from starting, Dayfly tells what the user has to change from what the machine has to.',
    fenced(overview(commands)),
    ...sections,
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n')
}

if (process.argv[1] === import.meta.filename) process.stdout.write(await cliDocument())
