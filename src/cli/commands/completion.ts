import { Argument, Command } from 'commander'
import { complete } from '../completion/complete.ts'
import type { Installation } from '../load/paths.ts'

/** `provision completion SHELL`, and the hidden command that its scripts call. */
export function completionCommands(installation: Installation): readonly [Command, Command] {
  const script = new Command('completion')
    .description('print the completion script of a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS)))
    .addHelpText('after', EXAMPLES)
    .action((shell: ShellName) => {
      process.stdout.write(SCRIPTS[shell])
    })
  const completer = new Command('__complete')
    .argument('[words...]')
    .action(async (words: readonly string[], _flags: unknown, command: Command) => {
      const print = process.stdout.write.bind(process.stdout)
      // A playbook may print when it is loaded.
      process.stdout.write = () => true
      const found = await complete(words, command.parent ?? command, installation).catch(() => [])
      print(found.map(({ word, description }) => `${word}\t${description}\n`).join(''))
      process.exit()
    })
  return [script, completer]
}

const EXAMPLES = `
Examples:
  source <(provision completion bash)     in ~/.bashrc
  source <(provision completion zsh)      in ~/.zshrc, after compinit
  provision completion fish | source      in ~/.config/fish/config.fish

Hosts and groups are those of the inventory when it was last loaded, for example by provision hosts.`

/**
 * The scripts of the shells. They call `provision __complete -- WORDS` with the words up to the cursor and read lines of a word, a tab
 * and its description; `:files` means paths.
 */
const SCRIPTS = {
  bash: `# Completion of provision for bash: source <(provision completion bash)
_provision() {
  local line=\${COMP_LINE:0:COMP_POINT} word before one
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  word=\${words[\${#words[@]}-1]}
  before=\${word%"\${word##*[=:]}"} # Bash splits words at = and :.
  COMPREPLY=()
  while IFS=$'\\t' read -r one _; do
    if [[ $one == :files ]]; then compopt -o default
    else COMPREPLY+=("\${one#"$before"}"); fi
  done < <("\${words[0]}" __complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _provision provision
`,
  zsh: `#compdef provision
# Completion of provision for zsh: source <(provision completion zsh)
_provision() {
  local -a found
  local one
  for one in "\${(@f)$("\${words[1]}" __complete -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}"; do
    if [[ $one == :files ]]; then _files; return; fi
    [[ -n $one ]] && found+=("\${\${one%%$'\\t'*}//:/\\\\:}:\${one#*$'\\t'}")
  done
  _describe provision found
}
if [[ \${funcstack[1]} == _provision ]]; then _provision "$@"; else compdef _provision provision; fi
`,
  fish: `# Completion of provision for fish: provision completion fish | source
function __provision_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
    if contains :files $found
        __fish_complete_path "$current"
    else
        printf '%s\\n' $found
    end
end
complete -c provision -f -a '(__provision_complete)'
`,
} as const

type ShellName = keyof typeof SCRIPTS
