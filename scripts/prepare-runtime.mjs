// After `npm ci` in the repository: ONNX Runtime, which tests of training and the demo need. Not one of package.json's
// dependencies, because its install script fetches GPU libraries from outside the registry, and fails where it cannot.
// Nothing is wrong with a checkout that lacks it: its commands say what to run.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../lib/main.cjs', import.meta.url))
spawnSync(process.execPath, [main, 'runtime'], { stdio: 'inherit' })
