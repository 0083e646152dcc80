import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runtimeFolder } from './locate.ts'

test('ONNX Runtime goes where each system keeps data of programs', () => {
  const name = (system: string) => `onnxruntime-node-1.30.0-${system}-${process.arch}`
  const under = (...parts: string[]) => join(...parts)
  expect(runtimeFolder({ LOCALAPPDATA: 'L' }, 'win32', 'H')).toBe(under('L', 'halfdice', name('win32')))
  expect(runtimeFolder({}, 'win32', 'H')).toBe(under('H', 'AppData/Local/halfdice', name('win32')))
  expect(runtimeFolder({}, 'darwin', 'H')).toBe(under('H', 'Library/Application Support/halfdice', name('darwin')))
  expect(runtimeFolder({}, 'linux', 'H')).toBe(under('H', '.local/share/halfdice', name('linux')))
  expect(runtimeFolder({ XDG_DATA_HOME: 'X' }, 'linux', 'H')).toBe(under('X', 'halfdice', name('linux')))
  expect(runtimeFolder({ HALFDICE_RUNTIME: 'R' }, 'win32', 'H')).toBe(under('R', name('win32')))
})
