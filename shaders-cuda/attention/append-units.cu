#include "attention/append-units.h"

#include "attention/cache-format.cuh"
#include "device/error.h"
#include "device/launch.cuh"
#include "device/warp.cuh"

namespace locret {
namespace {

constexpr int threads = 256;

/** Where the vector of a token's key or value comes from: element in ProjectedTokens::values. */
__device__ __forceinline__ std::size_t sourceElement(const ProjectedTokens& tokens, int token, int kvHead,
                                                     bool values) {
  const std::size_t row = static_cast<std::size_t>(token) * (tokens.heads + 2 * tokens.kvHeads);
  return (row + tokens.heads + (values ? tokens.kvHeads : 0) + kvHead) * tokens.headDim;
}

/**
 * Quantizes the numbers of a group, eight per lane in `lanes` neighbouring lanes. The minimum is rounded to float16
 * before the scale is taken, so that the codes make up for its rounding.
 */
template <NumberFormat format>
__device__ RawVector<format> quantizeGroup(const float (&numbers)[vectorChannels], int lanes, __half2& scaling) {
  constexpr float levels = format == NumberFormat::int8 ? 255.0f : 15.0f;
  constexpr float largest = 65504.0f;
  float low = numbers[0];
  float high = numbers[0];
#pragma unroll
  for (int i = 1; i < vectorChannels; ++i) {
    low = fminf(low, numbers[i]);
    high = fmaxf(high, numbers[i]);
  }
  for (int distance = 1; distance < 4; distance *= 2) {
    const float otherLow = __shfl_xor_sync(allLanes, low, distance);
    const float otherHigh = __shfl_xor_sync(allLanes, high, distance);
    if (distance < lanes) {
      low = fminf(low, otherLow);
      high = fmaxf(high, otherHigh);
    }
  }
  const __half minimum = __float2half_rn(fmaxf(fminf(low, largest), -largest));
  const float base = __half2float(minimum);
  const __half scale = __float2half_rn(fmaxf(fminf(high, largest) - base, 0.0f) / levels);
  scaling = __halves2half2(scale, minimum);
  const float step = __half2float(scale);
  const float inverse = step > 0.0f ? 1.0f / step : 0.0f;
  RawVector<format> codes{};
#pragma unroll
  for (int i = 0; i < vectorChannels; ++i) {
    const float code = fminf(fmaxf((numbers[i] - base) * inverse, 0.0f), levels);
    const auto bits = static_cast<std::uint32_t>(__float2int_rn(code));
    if constexpr (format == NumberFormat::int8) {
      codes.words[i / 4] |= bits << (8 * (i % 4));
    } else {
      codes.words[0] |= bits << (4 * i);
    }
  }
  return codes;
}

/** A thread per vector of a new unit; blockIdx.y 0: keys, 1: values. */
template <class Activation, NumberFormat format>
__global__ void __launch_bounds__(threads) appendUnitsKernel(AppendUnits append) {
  const ProjectedTokens& tokens = append.tokens;
  const LayerCacheView& cache = append.cache;
  const bool values = blockIdx.y == 1;
  const int vectorsPerUnit = cache.headDim / vectorChannels;
  const int vectors = tokens.tokens * cache.kvHeads * vectorsPerUnit;
  const int index = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  // All lanes take part in the shuffles below.
  const int vector = min(index, vectors - 1);
  const int unit = vector / vectorsPerUnit;
  const int channel = (vector - unit * vectorsPerUnit) * vectorChannels;
  const int token = unit / cache.kvHeads;
  const int kvHead = unit - token * cache.kvHeads;
  const int slot = *append.length + token;
  const std::size_t target =
      (static_cast<std::size_t>(kvHead) * cache.capacity + slot) * static_cast<std::size_t>(cache.headDim) + channel;
  constexpr NumberFormat source = formatOf<Activation>();
  const std::size_t from = sourceElement(tokens, token, kvHead, values) + channel;
  const RawVector<source> raw = loadVector<source>(tokens.values, from);
  void* units = values ? cache.values : cache.keys;
  if constexpr (format == source) {
    if (index < vectors) static_cast<RawVector<format>*>(units)[target / vectorChannels] = raw;
  } else {
    float numbers[vectorChannels];
    decodeVector<source>(raw, {}, numbers);
    if (!values) {
      const KeyChannels channels = keyChannelsOf(cache.keyChannelScales, kvHead, cache.headDim);
#pragma unroll
      for (int i = 0; i < vectorChannels; ++i) {
        numbers[i] = numbers[i] / channels.scales[channel + i] - channels.centers[channel + i];
      }
    }
    const int groupChannels = cacheGroupChannels(cache.headDim);
    __half2 scaling;
    const RawVector<format> codes = quantizeGroup<format>(numbers, groupChannels / vectorChannels, scaling);
    if (index < vectors) {
      static_cast<RawVector<format>*>(units)[target / vectorChannels] = codes;
      void* scales = values ? cache.valueScales : cache.keyScales;
      if (channel % groupChannels == 0) static_cast<__half2*>(scales)[target / groupChannels] = scaling;
    }
  }
  if (!values && channel == 0 && index < vectors) {
    cache.tokenIndices[static_cast<std::size_t>(kvHead) * cache.capacity + slot] = *append.firstTokenIndex + token;
  }
}

/**
 * The mean variance of a KV head's channels counts as so many tokens of each channel: a few tokens tell little of a
 * channel's own, and beside some hundred it changes next to nothing.
 */
constexpr float priorTokens = 16.0f;
/**
 * The mean variance is taken as at least this share of the keys' mean square. When the tokens are all the same it is
 * nothing but rounding, and keys divided by its root would leave the range of float16.
 */
constexpr float leastVariance = 0x1p-16f;

/** Mean and variance of every channel of a KV head's keys, then scale and center. One block per KV head. */
template <class Activation>
__global__ void __launch_bounds__(threads) calibrateKeysKernel(CalibrateKeys calibration) {
  __shared__ float means[threads];
  __shared__ float variances[threads];
  const ProjectedTokens& tokens = calibration.tokens;
  const int headDim = tokens.headDim;
  const int kvHead = static_cast<int>(blockIdx.x);
  const int channel = static_cast<int>(threadIdx.x);
  const auto* numbers = static_cast<const Activation*>(tokens.values);
  if (channel < headDim) {
    float sum = 0.0f;
    for (int token = 0; token < tokens.tokens; ++token) {
      sum += toFloat(numbers[sourceElement(tokens, token, kvHead, false) + channel]);
    }
    const float mean = sum / static_cast<float>(tokens.tokens);
    float squares = 0.0f;
    for (int token = 0; token < tokens.tokens; ++token) {
      const float difference = toFloat(numbers[sourceElement(tokens, token, kvHead, false) + channel]) - mean;
      squares = fmaf(difference, difference, squares);
    }
    means[channel] = mean;
    variances[channel] = squares / static_cast<float>(tokens.tokens);
  }
  __syncthreads();
  if (channel >= headDim) return;
  float variance = 0.0f;
  float square = 0.0f;
  for (int other = 0; other < headDim; ++other) {
    variance += variances[other];
    square = fmaf(means[other], means[other], square);
  }
  const float prior = fmaxf(variance, leastVariance * (square + variance)) / static_cast<float>(headDim);
  const int half = calibration.rotaryDim / 2;
  const int partner = channel < half ? channel + half : channel < 2 * half ? channel - half : channel;
  const float count = static_cast<float>(tokens.tokens);
  const float own = 0.5f * (variances[channel] + variances[partner]);
  const float deviation = sqrtf((count * own + priorTokens * prior) / (count + priorTokens));
  const float scale = deviation > 0.0f ? deviation : 1.0f;
  float* scales =
      static_cast<float*>(calibration.cache.keyChannelScales) + static_cast<std::size_t>(2) * kvHead * headDim;
  scales[channel] = scale;
  scales[headDim + channel] = means[channel] / scale;
}

}  // namespace

void appendUnits(const AppendUnits& append, cudaStream_t stream) {
  const ProjectedTokens& tokens = append.tokens;
  expectHeadDim(tokens.format, tokens.headDim);
  const std::int64_t vectors =
      static_cast<std::int64_t>(tokens.tokens) * tokens.kvHeads * (tokens.headDim / vectorChannels);
  withFloatType(tokens.format, "The activations' format", [&](auto type) {
    using Activation = typename decltype(type)::type;
    withCacheFormat(append.cache.format, tokens.format, [&](auto format) {
      constexpr NumberFormat cacheFormat = decltype(format)::value;
      if constexpr (hasGroupScales(cacheFormat) || cacheFormat == formatOf<Activation>()) {
        launch(appendUnitsKernel<Activation, cacheFormat>, dim3(blocksFor(vectors, threads), 2), dim3(threads), 0,
               stream, append);
      }
    });
  });
}

void calibrateKeys(const CalibrateKeys& calibration, cudaStream_t stream) {
  const ProjectedTokens& tokens = calibration.tokens;
  expectHeadDim(tokens.format, tokens.headDim);
  if (!hasGroupScales(calibration.cache.format)) return;
  withFloatType(tokens.format, "The activations' format", [&](auto type) {
    launch(calibrateKeysKernel<typename decltype(type)::type>, dim3(static_cast<unsigned int>(tokens.kvHeads)),
           dim3(threads), 0, stream, calibration);
  });
}

}  // namespace locret
