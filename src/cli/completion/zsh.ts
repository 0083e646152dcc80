import { pathPattern, type Topic } from './topics.ts'

/** The script for zsh: to be sourced, or as the file `_halfdice` in a folder of `$fpath`. */
export function zshScript(topics: readonly Topic[]): string {
  return `#compdef halfdice
_halfdice() {
  local at= word current=$words[CURRENT] previous=$words[CURRENT-1]
  for word in $words[2,CURRENT-1]; do
    case "$at/$word" in
      ${pathPattern(topics)}) at="$at/$word" ;;
    esac
  done
  if [[ $current == --*=* ]]; then
    previous=\${current%%=*}
    compset -P '*='
  fi
  case "$at $previous" in
${topics.flatMap(valueCases).join('\n')}
  esac
  local -a names options
  case "$at" in
${topics.map(wordCase).join('\n')}
  esac
  if [[ $current == -* ]]; then
    _describe option options
  elif (( \${#names} )); then
    _describe command names || _files
  else
    _files
  fi
}
if [[ $funcstack[1] == _halfdice ]]; then
  _halfdice "$@"
else
  compdef _halfdice halfdice
fi
`
}

function valueCases({ path, options }: Topic): string[] {
  return options
    .filter(({ takesValue }) => takesValue)
    .map(({ flags, choices }) => {
      const patterns = flags.map((flag) => `"${path} ${flag}"`).join(' | ')
      return `    ${patterns}) ${choices.length > 0 ? `compadd -- ${choices.join(' ')}` : '_files'}; return ;;`
    })
}

function wordCase({ path, commands, options, choices }: Topic): string {
  const names = [...commands.map(({ name, summary }) => `'${name}:${summary}'`), ...choices.map((name) => `'${name}'`)]
  const flags = options.flatMap((option) => option.flags.map((flag) => `'${flag}:${option.description}'`))
  return [`    "${path}")`, `      names=(${names.join(' ')})`, `      options=(${flags.join(' ')})`, '      ;;'].join(
    '\n',
  )
}
