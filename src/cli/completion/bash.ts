import { pathPattern, type Topic } from './topics.ts'

/** The script for bash 3.2 and later. Words that are no option and no command are completed as file names. */
export function bashScript(topics: readonly Topic[]): string {
  return `# bash completion for halfdice
_halfdice() {
  local path= i previous=\${COMP_WORDS[COMP_CWORD - 1]} current=\${COMP_WORDS[COMP_CWORD]}
  # bash takes --option=value for three words.
  [[ $current == = ]] && current=
  [[ $previous == = ]] && previous=\${COMP_WORDS[COMP_CWORD - 2]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path/\${COMP_WORDS[i]}" in
      ${pathPattern(topics)}) path="$path/\${COMP_WORDS[i]}" ;;
    esac
  done
  COMPREPLY=()
  case "$path $previous" in
${topics.flatMap(valueCases).join('\n')}
  esac
  local words= options=
  case "$path" in
${topics.map(wordCase).join('\n')}
  esac
  [[ $current == -* ]] && words=$options
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -o bashdefault -F _halfdice halfdice
`
}

/** What follows an option: one of its choices, or what the shell makes of it. */
function valueCases({ path, options }: Topic): string[] {
  return options
    .filter(({ takesValue }) => takesValue)
    .map(({ flags, choices }) => {
      const patterns = flags.map((flag) => `"${path} ${flag}"`).join(' | ')
      const reply = choices.length > 0 ? ` COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$current"));` : ''
      return `    ${patterns})${reply} return ;;`
    })
}

function wordCase({ path, commands, options, choices }: Topic): string {
  const words = [...commands.map(({ name }) => name), ...choices].join(' ')
  return `    "${path}") words="${words}" options="${options.flatMap(({ flags }) => flags).join(' ')}" ;;`
}
