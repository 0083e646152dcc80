import { Command, type CommanderError } from 'commander'
import { InputError } from '../volume/errors.ts'
import { nearestWord } from './nearest-word.ts'
import { beQuiet } from './print.ts'
import { version } from './version.ts'

interface Entry {
  readonly name: string
  readonly summary: string
  /** `whole` makes the program with all commands loaded, for the one that lists them. */
  readonly load: () => Promise<{ command(whole: () => Promise<Command>): Command }>
}

/**
 * Every command, in the order of `halfdice --help`. Only the one asked for is loaded, so that the others cost no time.
 */
const commands: readonly Entry[] = [
  {
    name: 'demo',
    summary: 'the whole story on a built-in phantom, as a report',
    load: () => import('./demo.ts'),
  },
  {
    name: 'sample',
    summary: 'draw realistic noisy labels from a reference label map',
    load: () => import('./sample.ts'),
  },
  {
    name: 'marginal',
    summary: 'the exact probability of each class under that noise',
    load: () => import('./marginal.ts'),
  },
  {
    name: 'optimum',
    summary: 'the threshold and Dice to expect under that noise',
    load: () => import('./optimum.ts'),
  },
  {
    name: 'threshold',
    summary: "Dice-optimal masks from a network's probabilities",
    load: () => import('./threshold.ts'),
  },
  {
    name: 'tune',
    summary: 'choose thresholds and calibration on validation cases',
    load: () => import('./tune.ts'),
  },
  {
    name: 'evaluate',
    summary: 'score masks or probabilities against a reference',
    load: () => import('./evaluate.ts'),
  },
  {
    name: 'raters',
    summary: 'how noisy several annotators are, in mm, and their consensus',
    load: () => import('./raters.ts'),
  },
  {
    name: 'train',
    summary: 'train a small U-Net; the result is an ONNX model',
    load: () => import('./train.ts'),
  },
  {
    name: 'predict',
    summary: "a model's probabilities, or masks, for an image",
    load: () => import('./predict.ts'),
  },
  {
    name: 'study',
    summary: 'compare losses and thresholds, cross-validated, as a report',
    load: () => import('./study.ts'),
  },
  {
    name: 'lab',
    summary: 'see and slide it all in a browser, on this machine only',
    load: () => import('./lab.ts'),
  },
  {
    name: 'phantom',
    summary: 'write example data to try the tool with',
    load: () => import('./phantom.ts'),
  },
  {
    name: 'runtime',
    summary: 'install what train, predict and study need',
    load: () => import('./runtime.ts'),
  },
  {
    name: 'completion',
    summary: 'a script with which bash, zsh or fish completes',
    load: () => import('./completion.ts'),
  },
]

/** The command line as a tree; rejects with CommanderError, InputError or a defect. */
export async function createProgram(argv: readonly string[]): Promise<Command> {
  const asked = argv.find((word) => !word.startsWith('-') && word !== 'help')
  if (asked !== undefined && !commands.some(({ name }) => name === asked))
    throw unknownCommand('usage', asked, commands)
  return programOf((name) => name === asked)
}

/** The program, with the commands loaded that are asked for. */
async function programOf(isAsked: (name: string) => boolean): Promise<Command> {
  const program = settle(new Command('halfdice'))
    .description('Label noise and Dice-optimal masks for medical image segmentation.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help, with examples')
    .helpCommand(false)
    .addHelpText('after', overview)
  const whole = () => programOf(() => true)
  for (const { name, summary, load } of commands) {
    const command = isAsked(name) ? withQuiet((await load()).command(whole)) : new Command(name)
    program.addCommand(settle(command.summary(summary)))
  }
  program.addCommand(settle(helpCommand(program)))
  return program
}

/** `halfdice help study init`. A topic that there is not is an error, as a command would be. */
function helpCommand(program: Command): Command {
  return new Command('help')
    .summary('show help for a command')
    .argument('[command...]', 'the command')
    .action((words: readonly string[]) => {
      let at = program
      for (const word of words) {
        const below = at.commands.find((command) => command.name() === word)
        if (below === undefined) {
          throw unknownCommand(
            'help',
            word,
            at.commands.map((command) => ({ name: command.name() })),
          )
        }
        at = below
      }
      at.outputHelp()
    })
}

function unknownCommand(subject: string, word: string, known: readonly { readonly name: string }[]): InputError {
  const nearest = nearestWord(
    word,
    known.map(({ name }) => name),
  )
  const hint = nearest === undefined ? '' : ` (did you mean ${nearest}?)`
  return new InputError(subject, `unknown command '${word}'${hint}; see 'halfdice --help'`)
}

/** Adds `-q` to a command and its own commands. */
function withQuiet(command: Command): Command {
  for (const sub of command.commands) withQuiet(sub)
  return command.option('-q, --quiet', 'print errors only').hook('preAction', (_, action) => {
    if (action.opts().quiet) beQuiet()
  })
}

/** Errors come back as exceptions (main.ts prints them as one line), help goes to standard output. */
function settle(command: Command): Command {
  for (const sub of command.commands) settle(sub)
  return command
    .exitOverride((error) => {
      throw error.exitCode === 0 || error.code === 'commander.help' ? error : usageError(command, error)
    })
    .configureOutput({ outputError: () => undefined })
    .configureHelp({ sortOptions: false, helpWidth: Math.min(process.stdout.columns ?? 100, 120) })
    .helpOption('-h, --help', 'show this help')
    .showSuggestionAfterError(true)
}

function usageError(command: Command, { message }: CommanderError): InputError {
  const words: string[] = []
  for (let at: Command | null = command; at !== null; at = at.parent) words.unshift(at.name())
  const path = words.join(' ')
  const fault = message.replace(/^error: /, '').replace(/\n\(Did you mean (.*)\?\)$/, ' (did you mean $1?)')
  return new InputError(command.parent ? command.name() : 'usage', `${fault}; see '${path} --help'`)
}

const overview = `
Examples:
  $ halfdice demo                                               see it all on a built-in phantom, with a report
  $ halfdice threshold prob.nii.gz -o mask.nii.gz               the Dice-optimal mask of a network's probabilities
  $ halfdice sample liver.nii.gz -o noisy --sigma 4 --length 12 -n 10
  $ halfdice optimum liver.nii.gz --sigma 1 2 4 8               what threshold and Dice to expect under that noise

Lengths are in mm (4 or 4mm) or voxels (2vx), one for all axes or one an axis (4,4,6).
Every command takes --json, which prints one JSON object instead of a table. 'halfdice COMMAND --help' explains each.
Exit codes: 0 done, 1 the run failed, 2 bad usage or bad input (one line on standard error says what to do).`
