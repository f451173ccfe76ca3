/**
 * The scripts of the shells. They call `provision __complete -- WORDS` with the words up to the cursor and read lines of a word, a tab
 * and its description; `:files` means paths.
 */
export const SCRIPTS = {
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

export type ShellName = keyof typeof SCRIPTS
