import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll } from 'vitest'

/** Where Debian, Ubuntu and Google put Chromium. */
const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const program = places.find((path) => existsSync(path))

export const hasBrowser = program !== undefined

/** WebGL in software, so that a machine without a graphics card draws the same. */
const flags = ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader']

/** What a test file has started. Registered here, since afterAll does nothing within a test. */
const started: (() => Promise<unknown>)[] = []
afterAll(() => Promise.all(started.map((stop) => stop())))

let running: Promise<Browser> | undefined

/** A browser that all tests of a file share. */
export function browser(): Promise<Browser> {
  if (!running) {
    running = chromium.launch({ executablePath: program as string, args: flags })
    started.push(async () => (await running)?.close())
  }
  return running
}

export interface OpenPage {
  readonly page: Page
  /** Requests that left this machine. */
  readonly outside: readonly string[]
  /** What the page complained of. */
  readonly complaints: readonly string[]
}

/** A page of its own, whose requests and complaints are kept. */
export async function openPage(url: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<OpenPage> {
  const page = await (await browser()).newPage({ viewport: { width: 1280, height: 860 }, ...options })
  const outside: string[] = []
  const complaints: string[] = []
  page.on('request', (request) => {
    if (!/^(http:\/\/127\.0\.0\.1:|blob:|data:)/.test(request.url())) outside.push(request.url())
  })
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(url)
  return { page, outside, complaints }
}

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export interface RunningLab {
  readonly url: string
  /** Ends it as Ctrl-C does, and gives its exit code. */
  stop(): Promise<number | null>
}

/** Starts `halfdice lab`; it ends with the test file at the latest. */
export async function startLab(files: readonly string[]): Promise<RunningLab> {
  const child = spawn(process.execPath, [main, 'lab', ...files, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve))
  const stop = async () => {
    child.kill('SIGINT')
    return ended
  }
  started.push(stop)
  let [text, fault] = ['', '']
  child.stderr.setEncoding('utf8').on('data', (part: string) => (fault += part))
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part
      if (text.includes('\n')) resolve(JSON.parse(text).url)
    })
    child.on('exit', () => reject(new Error(fault)))
  })
  return { url, stop }
}
