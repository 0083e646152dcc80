// postinstall: sees to it that ONNX Runtime is there where only the npm registry can be reached.
//
// On Linux x64 the install script of onnxruntime-node fetches GPU libraries from nuget.org and fails where it cannot.
// npm then drops the package, an optional dependency of ours, although the CPU library lies in it. In that case it is
// installed here once more, without its script, into a folder of our own, which src/network/runtime/session.ts looks
// into. Nothing is done where install scripts are off: then npm keeps the package. Never fails: what does not train
// may still sample, threshold and evaluate.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const { env } = process
const skipped = [env.ONNXRUNTIME_NODE_INSTALL, env.npm_config_onnxruntime_node_install].includes('skip')
if (process.platform === 'linux' && process.arch === 'x64' && !skipped && !(await reachable())) {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const wanted = `onnxruntime-node@${optionalDependencies['onnxruntime-node']}`
  try {
    const folder = join(root, 'runtime')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{"private":true}')
    const clean = Object.entries(env).filter(
      ([name]) => !/^npm_config_(global|prefix|local_prefix|location)$/.test(name),
    )
    const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-save', '--loglevel=error', wanted]
    const options = { cwd: folder, env: Object.fromEntries(clean), stdio: 'ignore' }
    if (env.npm_execpath) execFileSync(process.execPath, [env.npm_execpath, ...args], options)
    else execFileSync('npm', args, options)
  } catch {
    console.error(`halfdice: training needs ONNX Runtime; run: npm install --ignore-scripts ${wanted}`)
  }
}

async function reachable() {
  try {
    return (await fetch('https://api.nuget.org/v3/index.json', { signal: AbortSignal.timeout(5000) })).ok
  } catch {
    return false
  }
}
