import { Argument, Command } from 'commander'
import { bashScript } from './completion/bash.ts'
import { fishScript } from './completion/fish.ts'
import { type Topic, topicsOf } from './completion/topics.ts'
import { zshScript } from './completion/zsh.ts'

const shells: Readonly<Record<string, (topics: readonly Topic[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
}

/**
 * `halfdice completion`: a script that completes commands, options and their choices, made from the commands' own
 * definitions. It starts no program while one types, and leaves all other words to the shell: most of ours are files.
 * The libraries for this do not: @bomb.sh/tab offers no file names in bash, and @pnpm/tabtab has fish evaluate the
 * words typed so far, so that a file's name can run as a command.
 *
 * @param whole the program with all commands loaded
 */
export function command(whole: () => Promise<Command>): Command {
  return new Command('completion')
    .description('Prints a script with which a shell completes commands, options and their values.')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(shells)))
    .addHelpText(
      'after',
      `
Examples:
  $ halfdice completion bash > ~/.local/share/bash-completion/completions/halfdice
  $ halfdice completion zsh > ~/.zfunc/_halfdice                     a folder of $fpath
  $ halfdice completion fish > ~/.config/fish/completions/halfdice.fish
  $ source <(halfdice completion bash)                               in this shell only; zsh likewise`,
    )
    .action(async (shell: string) => {
      process.stdout.write(shells[shell](topicsOf(await whole())))
    })
}
