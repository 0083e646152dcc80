// The Python that a benchmark compares with: PYTHON, else python3. NumPy's OpenBLAS chooses its kernel by the
// processor, and not by variables of the environment, which may name a slower one; a benchmark says which ran.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

delete process.env.OPENBLAS_CORETYPE
delete process.env.OPENBLAS_L2_SIZE

export const python = process.env.PYTHON ?? 'python3'

/** One line: "Python 3.11.2, NumPy 1.24.2, OpenBLAS kernel Haswell". */
export function sayPeer() {
  const script = fileURLToPath(new URL('numpy_kernel.py', import.meta.url))
  console.log(execFileSync(python, [script], { encoding: 'utf8' }).trim())
}
