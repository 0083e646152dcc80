import { Command } from 'commander'
import { installRuntime } from '../network/runtime/install.ts'
import { type JsonOption, withJson } from './options.ts'
import { printResult } from './print.ts'

/** `halfdice runtime`: installs what only networks need. */
export function command(): Command {
  const command = new Command('runtime')
    .description(
      'Installs ONNX Runtime, which train, predict, study and the networks of demo need and nothing else does: for ' +
        'this system only, from the npm registry, into a folder of yours. Where it is installed already, says where.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ halfdice runtime
  $ HALFDICE_RUNTIME=/opt/halfdice halfdice runtime     for all users; they set the same variable

A GPU by CUDA needs ONNX Runtime's own install script, beside halfdice in a project of yours:
  $ npm install onnxruntime-node --onnxruntime-node-install=cuda12`,
    )
    .action(run)
  return withJson(command)
}

async function run({ json }: JsonOption): Promise<void> {
  const { already, version, folder, megabytes } = await installRuntime()
  printResult(json, { version, folder, megabytes, already }, () => {
    const what = already ? 'is there already' : 'installed'
    return `ONNX Runtime ${version} ${what}: ${folder} (${megabytes} MB)`
  })
}
