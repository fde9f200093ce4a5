#pragma once

#include <cuda_runtime.h>

#include "device/types.h"

namespace locret {

/** The units of one part of a decode step's attention, ends exclusive; none when begin is not below end. */
struct DecodePart {
  int begin;
  int end;
};

/**
 * Shares out the units in sight evenly, by whole steps of `step` units: how many there are is known on the device only,
 * and however many, all parts have something to do.
 */
__device__ __forceinline__ DecodePart decodePart(int length, int window, int part, int parts, int step) {
  const int total = length + 1;
  const int first = window > 0 ? max(0, total - window) : 0;
  const int steps = (total - first + step - 1) / step;
  const int perPart = (steps + parts - 1) / parts * step;
  const int begin = first + part * perPart;
  return {begin, min(total, begin + perPart)};
}

}  // namespace locret
