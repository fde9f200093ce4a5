#include "engine/device-code.h"

namespace locret {
namespace {

#if defined(__CUDA_ARCH_LIST__)
constexpr int architectures[] = {__CUDA_ARCH_LIST__};
#else
// Emulated: what the emulated device has.
constexpr int architectures[] = {860};
#endif

}  // namespace

std::span<const int> compiledArchitectures() { return architectures; }

}  // namespace locret
