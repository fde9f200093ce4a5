#include "products/shared-library.h"

#if defined(LOCRET_EMULATED)
#include "test/emulation/cublaslt.h"
#elif defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace locret {

#if defined(LOCRET_EMULATED)
// The one library that is opened has an emulated twin.
SharedLibrary SharedLibrary::openFirst(std::initializer_list<const char*>) {
  static int emulated = 0;
  return SharedLibrary(&emulated);
}

void* SharedLibrary::address(const char* name) const {
  return handle_ == nullptr ? nullptr : emulation::cublasLtFunction(name);
}
#else
SharedLibrary SharedLibrary::openFirst(std::initializer_list<const char*> names) {
  for (const char* name : names) {
#if defined(_WIN32)
    void* handle = LoadLibraryA(name);
#else
    void* handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
#endif
    if (handle != nullptr) return SharedLibrary(handle);
  }
  return SharedLibrary(nullptr);
}

void* SharedLibrary::address(const char* name) const {
  if (handle_ == nullptr) return nullptr;
#if defined(_WIN32)
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(handle_), name));
#else
  return dlsym(handle_, name);
#endif
}
#endif

}  // namespace locret
