import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { Command } from 'commander'
import { InputError } from '../volume/errors.ts'
import { serveLab } from './lab/server.ts'
import { labSite } from './lab/site.ts'
import { wholeNumber } from './numbers.ts'
import { type JsonOption, withJson } from './options.ts'
import { printResult } from './print.ts'

interface Options extends JsonOption {
  readonly port: number
  readonly open: boolean
}

/** `halfdice lab`: probabilities, noise and annotators in a browser. */
export function command(): Command {
  const command = new Command('lab')
    .description(
      'Opens files in a page of this machine: probabilities with a slider for the cut, label maps with noise, ' +
        "several annotators' masks, over the image. The browser computes; no file leaves the machine. Ctrl-C ends it.",
    )
    .argument('[files...]', 'probabilities, label maps, images, .npz, folders of DICOM; none: an example')
    .option('--port <number>', 'port on 127.0.0.1; 0 for any that is free', wholeNumber('--port', 0, 65_535), 0)
    .option('--no-open', 'print the address only, and start no browser')
    .addHelpText(
      'after',
      `
Examples:
  $ halfdice lab                                           the built-in example
  $ halfdice lab prob.nii.gz ct.nii.gz reference.nii.gz    a map over its image, with its reference
  $ halfdice lab case_1.npz case_1_0000.nii.gz             nnU-Net's probabilities; .pkl and dataset.json are found
  $ halfdice lab anna.nii.gz ben.nii.gz ct.nii.gz          how two annotators agree

The server listens on 127.0.0.1 only, below an address with a random token, and serves nothing but the page and the
files given. The folder lib/lab of the package is the same page for any web server (docs/lab.md).`,
    )
    .action(run)
  return withJson(command)
}

async function run(paths: readonly string[], { port, open, json }: Options): Promise<void> {
  const site = await labSite(paths)
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve)
  })
  const server = await serveLab(site, randomBytes(16).toString('hex'), port).catch((error) => {
    throw portFault(error, port)
  })
  printResult(json, { url: server.url }, () => `${server.url}\nCtrl-C ends it.`)
  if (open && !json && process.stdout.isTTY) startBrowser(server.url)
  await stopped
  await server.close()
}

function portFault(error: unknown, port: number): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EADDRINUSE')
    return new InputError('--port', `${port} is taken by another program; choose another, or 0`)
  return code === 'EACCES' ? new InputError('--port', `${port} may not be used; choose one above 1023`) : error
}

const openers: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  linux: ['xdg-open'],
  win32: ['cmd', '/c', 'start', ''],
}

/** The address is printed already: where no browser starts, nothing is lost. */
function startBrowser(url: string): void {
  const [program, ...args] = openers[process.platform] ?? []
  if (program === undefined) return
  const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}
