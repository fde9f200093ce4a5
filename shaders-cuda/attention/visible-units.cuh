#pragma once

#include <cuda_runtime.h>

namespace locret {

/** Which units the rows of a tile of queries see. Slots; ends are exclusive. */
struct VisibleUnits {
  /** The first that some row sees, and the end of those. */
  int begin;
  int end;
  /** What every row sees. */
  int allBegin;
  int allEnd;
};

/** For tokens first..last of a chunk behind `retained` units. `window` 0: no limit. */
__device__ __forceinline__ VisibleUnits visibleUnits(int retained, int window, int first, int last) {
  VisibleUnits visible{0, retained + last + 1, 0, retained + first + 1};
  if (window > 0) {
    visible.begin = max(0, retained + first + 1 - window);
    visible.allBegin = max(0, retained + last + 1 - window);
  }
  return visible;
}

}  // namespace locret
