import type { Topic } from './topics.ts'

/** The script for fish. */
export function fishScript(topics: readonly Topic[]): string {
  const paths = topics.map(({ path }) => path).filter((path) => path !== '')
  return `# fish completion for halfdice
function __halfdice_path
    set -l at ''
    for word in (commandline -opc)[2..-1]
        switch "$at/$word"
            case ${paths.join(' ')}
                set at "$at/$word"
        end
    end
    test "$at" = "$argv[1]"
end
${topics.flatMap(lines).join('\n')}
`
}

function lines({ path, commands, options, choices }: Topic): string[] {
  const start = `complete -c halfdice -n "__halfdice_path '${path}'"`
  // No file can stand where only the words of a list can.
  const only = path === '' || choices.length > 0 ? [`${start} -f`] : []
  return [
    ...only,
    ...commands.map(({ name, summary }) => `${start} -a ${name} -d '${summary}'`),
    ...choices.map((name) => `${start} -a ${name}`),
    ...options.map(({ flags, description, takesValue, choices }) => {
      const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
      const value = choices.length > 0 ? ` -x -a '${choices.join(' ')}'` : takesValue ? ' -r' : ''
      return `${start} ${names.join(' ')}${value} -d '${description}'`
    }),
  ]
}
