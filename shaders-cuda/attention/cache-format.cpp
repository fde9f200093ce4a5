#include "attention/cache-format.h"

#include <string>

#include "device/error.h"
#include "device/number-formats.h"

namespace locret {
namespace {

constexpr int largestHeadDim = 128;

}  // namespace

CacheUnitBytes cacheUnitBytes(NumberFormat format, int headDim) {
  expectHeadDim(NumberFormat::float32, headDim);
  const auto channels = static_cast<std::size_t>(headDim);
  const std::size_t scales =
      channels / static_cast<std::size_t>(cacheGroupChannels(headDim)) * 2 * sizeof(std::uint16_t);
  switch (format) {
    case NumberFormat::float32:
      return {4 * channels, 4 * channels, 0, 0};
    case NumberFormat::bfloat16:
    case NumberFormat::float16:
      return {2 * channels, 2 * channels, 0, 0};
    case NumberFormat::int8:
      return {channels, channels, scales, scales};
    case NumberFormat::int4:
      return {channels / 2, channels / 2, scales, scales};
  }
  throw Error("invalid-argument", std::string("A cache cannot be in format ") + nameOf(format) + ".");
}

std::size_t keyChannelScaleBytes(NumberFormat format, int kvHeads, int headDim) {
  if (!hasGroupScales(format)) return 0;
  return 2 * static_cast<std::size_t>(kvHeads) * static_cast<std::size_t>(headDim) * sizeof(float);
}

void expectHeadDim(NumberFormat activation, int headDim) {
  if (activation == NumberFormat::float32) {
    if (headDim >= 8 && headDim <= largestHeadDim && headDim % 8 == 0) return;
    throw Error("model-unsupported",
                "The model has heads of " + std::to_string(headDim) +
                    " channels; float32 attention is made for multiples of 8 from 8 to 128. Use the "
                    "processor for this model.");
  }
  switch (headDim) {
    case 16:
    case 32:
    case 64:
    case 80:
    case 96:
    case 128:
      return;
    default:
      throw Error("model-unsupported", "The model has heads of " + std::to_string(headDim) + " channels; " +
                                           nameOf(activation) +
                                           " attention is made for 16, 32, 64, 80, 96 and 128. Use float32 or the "
                                           "processor for this model.");
  }
}

void expectCacheFormat(NumberFormat cache, NumberFormat activation) {
  if (cache == activation || hasGroupScales(cache)) return;
  throw Error("invalid-argument", std::string("A cache in ") + nameOf(cache) + " does not go with activations in " +
                                      nameOf(activation) + "; choose " + nameOf(activation) +
                                      ", int8 or int4 for the cache.");
}

}  // namespace locret
