/**
 * What WebGPU needs of a Linux machine. Debian's chromium-common brings a loader and a driver in software (SwiftShader):
 * slow, but enough to try with. Mesa's software driver (lavapipe) lacks what Dawn, the runtime's WebGPU, asks for.
 */
export const VULKAN_REMEDY =
  "install libvulkan1 and your GPU's Vulkan driver, or, to try it in software, Debian's chromium-common with " +
  'VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json LD_LIBRARY_PATH=/usr/lib/chromium'

/**
 * Whether the Vulkan loader can be loaded, as far as it can be told; other systems than Linux need none. Where it is
 * missing, Dawn writes warnings of its own to standard error, which no option silences: so Dawn is not asked then.
 */
export function mayHaveVulkan(): boolean {
  if (process.platform !== 'linux') return true
  try {
    process.dlopen({ exports: {} }, 'libvulkan.so.1')
  } catch (error) {
    // A loader that is found is no add-on of Node, which is an error too, but another.
    return !/cannot open shared object file/.test(error instanceof Error ? error.message : '')
  }
  return true
}
