import { DayflyError } from '../../../base/errors.ts'
import type { Command } from '../command.ts'

/** Each asks `dayfly __complete WORDS...` (the last word is the one being written, maybe empty) for candidates, one a line; none means files. */
const scripts: Readonly<Record<string, string>> = {
  bash: `# dayfly completion for bash. Install: dayfly completion bash > /etc/bash_completion.d/dayfly
_dayfly() {
  local IFS=$'\\n' line=\${COMP_LINE:0:COMP_POINT} words current
  read -r -a words -d '' < <(printf '%s\\n' "\${COMP_WORDS[@]:1:COMP_CWORD}") || true
  # Bash splits words at ':' and '='; dayfly is to see them whole.
  words=(); local word
  for word in $(printf '%s' "$line" | tr -s ' ' '\\n' | tail -n +2); do words+=("$word"); done
  [[ $line == *' ' ]] && words+=('')
  current=\${words[\${#words[@]}-1]}
  COMPREPLY=($(dayfly __complete -- "\${words[@]}" 2>/dev/null))
  if ((\${#COMPREPLY[@]} == 0)); then COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; fi
  # What bash has split off before the cursor is already there.
  local before=\${current%"\${COMP_WORDS[COMP_CWORD]}"}
  [[ $current == *[:=]* ]] && COMPREPLY=("\${COMPREPLY[@]#"$before"}")
}
complete -F _dayfly dayfly
`,
  zsh: `#compdef dayfly
# dayfly completion for zsh. Install: dayfly completion zsh > "\${fpath[1]}/_dayfly"
_dayfly() {
  local -a candidates
  candidates=("\${(@f)$(dayfly __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  candidates=(\${candidates:#})
  if (( \${#candidates} )); then compadd -a candidates; else _files; fi
}
if [ "$funcstack[1]" = _dayfly ]; then _dayfly "$@"; else compdef _dayfly dayfly; fi
`,
  fish: `# dayfly completion for fish. Install: dayfly completion fish > ~/.config/fish/completions/dayfly.fish
function __dayfly_candidates
    set -l words (commandline -opc) (commandline -ct)
    dayfly __complete -- $words[2..-1] 2>/dev/null
end
complete -c dayfly -a '(__dayfly_candidates)'
`,
}

export const command: Command = {
  name: 'completion',
  takes: ['SHELL'],
  summary: 'Print a completion script for bash, zsh or fish.',
  completion: ['bash', 'zsh', 'fish'],
  options: [],
  examples: [
    ['source <(dayfly completion bash)', 'for this shell'],
    ['dayfly completion fish > ~/.config/fish/completions/dayfly.fish', 'for good'],
  ],
  run: async (context, args) => {
    const [shell = ''] = args.positionals
    const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined
    if (script === undefined)
      throw new DayflyError('invalid', `SHELL: "${shell}" is not bash, zsh or fish`, {
        field: 'SHELL',
        remedy: 'Write it like `dayfly completion bash`.',
      })
    context.write(script)
    return 0
  },
}
