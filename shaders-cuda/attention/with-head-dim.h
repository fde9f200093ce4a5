#pragma once

#include <type_traits>

namespace locret {

/** Calls `use(std::integral_constant<int, headDim>{})` for the head sizes that the tensor-core kernels are made for. */
template <class Use>
void withHeadDim(int headDim, Use&& use) {
  switch (headDim) {
    case 16:
      return use(std::integral_constant<int, 16>{});
    case 32:
      return use(std::integral_constant<int, 32>{});
    case 64:
      return use(std::integral_constant<int, 64>{});
    case 80:
      return use(std::integral_constant<int, 80>{});
    case 96:
      return use(std::integral_constant<int, 96>{});
    case 128:
      return use(std::integral_constant<int, 128>{});
    default:
      return;
  }
}

}  // namespace locret
