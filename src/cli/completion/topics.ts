import type { Command } from 'commander'

/** What can follow a command on the command line. */
export interface Topic {
  /** The words that lead to it, each behind a slash: `/study/init`; empty for the program itself. */
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly summary: string }[]
  readonly options: readonly TopicOption[]
  /** The values of its first argument, where they are a few words. */
  readonly choices: readonly string[]
}

export interface TopicOption {
  /** With its dashes: `--output`, `-o`. */
  readonly flags: readonly string[]
  readonly description: string
  readonly takesValue: boolean
  readonly choices: readonly string[]
}

/** The program and all commands below it, as they define themselves; hidden ones and hidden options are not there. */
export function topicsOf(program: Command, path = '', beside: readonly Command[] = []): Topic[] {
  const help = program.createHelp()
  const commands = help.visibleCommands(program)
  const own: Topic = {
    path,
    commands: commands.map((command) => ({
      name: command.name(),
      summary: plain(command.summary() || command.description()),
    })),
    options: help.visibleOptions(program).map((option) => ({
      flags: [option.long, option.short].filter((flag) => flag !== undefined && flag !== null),
      description: plain(option.description),
      takesValue: Boolean(option.required || option.optional),
      choices: option.argChoices ?? [],
    })),
    choices: path === '/help' ? beside.map((each) => each.name()) : (program.registeredArguments[0]?.argChoices ?? []),
  }
  return [own, ...commands.flatMap((command) => topicsOf(command, `${path}/${command.name()}`, commands))]
}

/** Without what a quoted word of a shell, or a description in zsh, would take for its own. */
function plain(text: string): string {
  return text
    .replaceAll("'", '’')
    .replaceAll(/["`\\$]/g, '')
    .replaceAll(':', ',')
}

/** The patterns of a `case` that follows words to a command: `/study` and `/study/init`, joined by bars. */
export function pathPattern(topics: readonly Topic[]): string {
  const paths = topics.map(({ path }) => path).filter((path) => path !== '')
  return paths.join(' | ')
}
