// A Vulkan driver in front of another (COUNTED_DRIVER): counts what an application asks for, and leaves out dispatches
// and fills, so that the time which is left is that of writing commands. At exit the counts go to COUNTS_FILE, as JSON.
// Built and used by bench/gpu-commands.mjs.
#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

namespace {

using Function = void (*)();
using Lookup = Function (*)(void*, const char*);

void* driver;
Lookup instance_functions, device_functions;
std::mutex mutex;
std::map<uint64_t, uint64_t> sizes;
uint64_t dispatches, fills, copies, submits, allocations, allocated, in_use, most;

void (*copy_buffer)(void*, uint64_t, uint64_t, uint32_t, const void*);
int (*queue_submit)(void*, uint32_t, const void*, uint64_t);
int (*allocate_memory)(void*, const uint64_t*, const void*, uint64_t*);
void (*free_memory)(void*, uint64_t, const void*);

void Dispatch(void*, uint32_t, uint32_t, uint32_t) { ++dispatches; }

void Fill(void*, uint64_t, uint64_t, uint64_t, uint32_t) { ++fills; }

void Copy(void* commands, uint64_t from, uint64_t to, uint32_t count, const void* regions) {
  ++copies;
  copy_buffer(commands, from, to, count, regions);
}

int Submit(void* queue, uint32_t count, const void* submissions, uint64_t fence) {
  ++submits;
  return queue_submit(queue, count, submissions, fence);
}

// Of VkMemoryAllocateInfo (type, next, size, …), the third word is the size.
int Allocate(void* device, const uint64_t* info, const void* allocator, uint64_t* memory) {
  const int result = allocate_memory(device, info, allocator, memory);
  if (result != 0) return result;
  const std::lock_guard<std::mutex> lock(mutex);
  ++allocations;
  allocated += info[2];
  in_use += sizes[*memory] = info[2];
  if (in_use > most) most = in_use;
  return result;
}

void Free(void* device, uint64_t memory, const void* allocator) {
  {
    const std::lock_guard<std::mutex> lock(mutex);
    const auto found = sizes.find(memory);
    if (found != sizes.end()) {
      in_use -= found->second;
      sizes.erase(found);
    }
  }
  free_memory(device, memory, allocator);
}

void Report() {
  FILE* file = std::fopen(std::getenv("COUNTS_FILE"), "w");
  std::fprintf(file,
               "{\"dispatches\": %lu, \"fills\": %lu, \"copies\": %lu, \"submits\": %lu, \"allocations\": %lu, "
               "\"allocated\": %lu, \"most\": %lu}\n",
               dispatches, fills, copies, submits, allocations, allocated, most);
  std::fclose(file);
}

Function DeviceFunction(void* device, const char* name);

template <typename T>
Function Replaced(T& kept, Function found, Function ours) {
  kept = reinterpret_cast<T>(found);
  return ours;
}

Function Ours(const char* name, Function found) {
  const auto is = [name](const char* other) { return std::strcmp(name, other) == 0; };
  const auto as = [](auto* function) { return reinterpret_cast<Function>(function); };
  if (found == nullptr) return found;
  if (is("vkCmdDispatch")) return as(&Dispatch);
  if (is("vkCmdFillBuffer")) return as(&Fill);
  if (is("vkCmdCopyBuffer")) return Replaced(copy_buffer, found, as(&Copy));
  if (is("vkQueueSubmit")) return Replaced(queue_submit, found, as(&Submit));
  if (is("vkAllocateMemory")) return Replaced(allocate_memory, found, as(&Allocate));
  if (is("vkFreeMemory")) return Replaced(free_memory, found, as(&Free));
  if (is("vkGetDeviceProcAddr")) return Replaced(device_functions, found, as(&DeviceFunction));
  return found;
}

Function DeviceFunction(void* device, const char* name) { return Ours(name, device_functions(device, name)); }

template <typename T>
T InDriver(const char* name) {
  if (driver == nullptr) {
    driver = dlopen(std::getenv("COUNTED_DRIVER"), RTLD_NOW);
    if (driver == nullptr) std::exit((std::fprintf(stderr, "%s\n", dlerror()), 1));
    std::atexit(Report);
  }
  return reinterpret_cast<T>(dlsym(driver, name));
}

}  // namespace

extern "C" {

Function vk_icdGetInstanceProcAddr(void* instance, const char* name) {
  if (instance_functions == nullptr) instance_functions = InDriver<Lookup>("vk_icdGetInstanceProcAddr");
  return Ours(name, instance_functions(instance, name));
}

Function vk_icdGetPhysicalDeviceProcAddr(void* instance, const char* name) {
  const auto lookup = InDriver<Lookup>("vk_icdGetPhysicalDeviceProcAddr");
  return lookup == nullptr ? nullptr : lookup(instance, name);
}

int vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t* version) {
  return InDriver<int (*)(uint32_t*)>("vk_icdNegotiateLoaderICDInterfaceVersion")(version);
}
}
