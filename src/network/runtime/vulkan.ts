/**
 * What WebGPU needs of a Linux machine. Debian's chromium-common brings a loader and a driver in software
 * (SwiftShader): slow, but enough to try with. Mesa's software driver (lavapipe) lacks features that Dawn, the
 * runtime's WebGPU, needs.
 */
export const vulkanRemedy =
  "install libvulkan1 and your GPU's Vulkan driver, or, to try it in software, Debian's chromium-common with " +
  'VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json LD_LIBRARY_PATH=/usr/lib/chromium'

/**
 * Whether the Vulkan loader seems to be there; only Linux needs one. Without it Dawn writes warnings to standard error
 * that no option silences, so callers then do not start it.
 */
export function mayHaveVulkan(): boolean {
  if (process.platform !== 'linux') return true
  try {
    process.dlopen({ exports: {} }, 'libvulkan.so.1')
  } catch (error) {
    // The loader is not a Node add-on, so dlopen fails even when it finds the library, with another message.
    return !/cannot open shared object file/.test(error instanceof Error ? error.message : '')
  }
  return true
}
