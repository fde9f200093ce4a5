#include "attention/attention-mass.h"

#include <string>

#include "attention/attention-tile.cuh"
#include "device/error.h"
#include "device/launch.cuh"
#include "device/warp.cuh"

namespace locret {
namespace {

constexpr int threads = 256;
/** Units of a tile: a thread always has the same one. */
constexpr int units = 64;
/** Query rows of a batch, shared out to the threads of a unit. */
constexpr int batch = 16;
constexpr int rowsPerThread = batch * units / threads;
/** Blocks that share the units when denominators are made. */
constexpr int parts = 64;

/** What a launch computes with: the arguments, and the log sums it takes (or makes, as `partials` first). */
struct MassLaunch {
  AttentionMassSums mass;
  const float* logSums;
  /** Largest logit and the sum of e^(logit - largest), float32 `[heads, tokens, parts, 2]`. */
  float* partials;
};

/** The observed query heads of one KV head, and what they see. */
struct Observed {
  int group;
  int kvHead;
  int firstRow;
  int rowCount;
  int length;
  /** No unit from here on counts. */
  int end;
};

__device__ __forceinline__ Observed observedOf(const AttentionMassSums& mass, int kvHead) {
  const ProjectedTokens& tokens = mass.tokens;
  const int group = tokens.heads / tokens.kvHeads;
  const int length = *mass.length;
  const int total = length + tokens.tokens;
  const int end = mass.reach != nullptr ? min(*mass.reach, total) : total;
  return {group, kvHead, mass.firstObserved * group, tokens.tokens * group, length, end};
}

template <class Activation, NumberFormat format>
__device__ void loadKeys(const AttentionMassSums& mass, const Observed& observed, int firstSlot, float* keys) {
  const int headDim = mass.cache.headDim;
  const int count = min(units, observed.end - firstSlot);
  loadUnitTile<format>(mass.cache, false, observed.kvHead, firstSlot, count, keys, units, threads);
  __syncthreads();
  turnTile(keys, count, headDim, mass.rope, threads, [firstSlot](int row) { return firstSlot + row; });
  __syncthreads();
  roundTile<Activation>(keys, count, headDim, threads);
  __syncthreads();
}

template <class Activation>
__device__ void loadQueries(const AttentionMassSums& mass, const Observed& observed, int firstRow, float* queries) {
  const int headDim = mass.tokens.headDim;
  const int count = min(batch, observed.rowCount - firstRow);
  __syncthreads();
  loadQueryTile<Activation>(mass.tokens, observed.kvHead, firstRow, count, queries, batch, threads);
  __syncthreads();
  turnTile(queries, count, headDim, mass.rope, threads,
           [&](int row) { return observed.length + (firstRow + row) / observed.group; });
  __syncthreads();
  roundTile<Activation>(queries, count, headDim, threads);
  __syncthreads();
}

/** Logits of this thread's rows and unit; -infinity where the row does not see the unit. */
__device__ __forceinline__ void makeLogits(const AttentionMassSums& mass, const Observed& observed,
                                           const float* queries, const float* keys, int firstRow, int slot,
                                           float (&logits)[rowsPerThread]) {
  const int headDim = mass.tokens.headDim;
  const int stride = tileStride(headDim);
  const int firstOwn = static_cast<int>(threadIdx.x) / units * rowsPerThread;
  const float* key = keys + static_cast<int>(threadIdx.x) % units * stride;
#pragma unroll
  for (int row = 0; row < rowsPerThread; ++row) {
    const int query = firstRow + firstOwn + row;
    const int own = observed.length + query / observed.group;
    const bool visible = query < observed.rowCount && slot < observed.end && slot <= own &&
                         (mass.window == 0 || slot > own - mass.window);
    const float dot = dotRows(queries + (firstOwn + row) * stride, key, headDim);
    logits[row] = visible ? dot * mass.scale : -INFINITY;
  }
}

/** Which of `[heads, tokens]` a row is. */
__device__ __forceinline__ std::size_t logSumIndex(const AttentionMassSums& mass, const Observed& observed, int row) {
  const QueryRow query = queryRowOf(row, observed.group, observed.kvHead);
  return static_cast<std::size_t>(query.head) * mass.tokens.tokens + query.token;
}

/** Blocks: x tiles of 64 units of the capacity, y KV heads. */
template <class Activation, NumberFormat format>
__global__ void __launch_bounds__(threads) attentionMassKernel(MassLaunch launch) {
  LOCRET_DYNAMIC_SHARED(float, keys);
  __shared__ float totals[threads];
  const AttentionMassSums& mass = launch.mass;
  const Observed observed = observedOf(mass, static_cast<int>(blockIdx.y));
  const int firstSlot = static_cast<int>(blockIdx.x) * units;
  if (firstSlot >= observed.end) return;
  float* const queries = keys + units * tileStride(mass.cache.headDim);
  loadKeys<Activation, format>(mass, observed, firstSlot, keys);

  const int slot = firstSlot + static_cast<int>(threadIdx.x) % units;
  const int firstOwn = static_cast<int>(threadIdx.x) / units * rowsPerThread;
  float total = 0.0f;
  for (int row = observed.firstRow; row < observed.rowCount; row += batch) {
    loadQueries<Activation>(mass, observed, row, queries);
    float logits[rowsPerThread];
    makeLogits(mass, observed, queries, keys, row, slot, logits);
#pragma unroll
    for (int i = 0; i < rowsPerThread; ++i) {
      const int query = row + firstOwn + i;
      if (query < observed.rowCount) total += expf(logits[i] - launch.logSums[logSumIndex(mass, observed, query)]);
    }
  }
  totals[threadIdx.x] = total;
  __syncthreads();
  if (static_cast<int>(threadIdx.x) < units && slot < observed.end) {
    for (int other = 1; other < threads / units; ++other) total += totals[threadIdx.x + other * units];
    mass.sums[static_cast<std::size_t>(observed.kvHead) * mass.cache.capacity + slot] += total;
  }
}

/** Blocks: x parts of the units, y KV heads, z batches of rows. */
template <class Activation, NumberFormat format>
__global__ void __launch_bounds__(threads, 3) denominatorsKernel(MassLaunch launch) {
  LOCRET_DYNAMIC_SHARED(float, keys);
  __shared__ float2 warpSums[batch][units / lanesPerWarp];
  const AttentionMassSums& mass = launch.mass;
  const Observed observed = observedOf(mass, static_cast<int>(blockIdx.y));
  float* const queries = keys + units * tileStride(mass.cache.headDim);
  const int row = observed.firstRow + static_cast<int>(blockIdx.z) * batch;
  loadQueries<Activation>(mass, observed, row, queries);

  const int unit = static_cast<int>(threadIdx.x) % units;
  const int firstOwn = static_cast<int>(threadIdx.x) / units * rowsPerThread;
  float largest[rowsPerThread];
  float sums[rowsPerThread];
#pragma unroll
  for (int i = 0; i < rowsPerThread; ++i) {
    largest[i] = -INFINITY;
    sums[i] = 0.0f;
  }
  for (int firstSlot = static_cast<int>(blockIdx.x) * units; firstSlot < observed.end; firstSlot += parts * units) {
    __syncthreads();
    loadKeys<Activation, format>(mass, observed, firstSlot, keys);
    float logits[rowsPerThread];
    makeLogits(mass, observed, queries, keys, row, firstSlot + unit, logits);
#pragma unroll
    for (int i = 0; i < rowsPerThread; ++i) {
      if (logits[i] == -INFINITY) continue;
      const float highest = fmaxf(largest[i], logits[i]);
      sums[i] = sums[i] * expf(largest[i] - highest) + expf(logits[i] - highest);
      largest[i] = highest;
    }
  }
#pragma unroll
  for (int i = 0; i < rowsPerThread; ++i) {
    const float highest = warpMaximum(largest[i]);
    const float sum = warpSum(sums[i] > 0.0f ? sums[i] * expf(largest[i] - highest) : 0.0f);
    if (laneIndex() == 0) warpSums[firstOwn + i][unit / lanesPerWarp] = make_float2(highest, sum);
  }
  __syncthreads();
  const int own = static_cast<int>(threadIdx.x);
  if (own >= batch || row + own >= observed.rowCount) return;
  float highest = warpSums[own][0].x;
  for (const float2& part : warpSums[own]) highest = fmaxf(highest, part.x);
  float sum = 0.0f;
  for (const float2& part : warpSums[own]) {
    if (part.y > 0.0f) sum += part.y * expf(part.x - highest);
  }
  const std::size_t place = logSumIndex(mass, observed, row + own) * parts + blockIdx.x;
  launch.partials[2 * place] = highest;
  launch.partials[2 * place + 1] = sum;
}

/** A thread per observed query head: its log sum from those of the parts. */
__global__ void __launch_bounds__(threads)
    joinDenominatorsKernel(const float* partials, float* logSums, int tokens, int firstObserved, int count) {
  const int index = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  if (index >= count) return;
  const int observed = tokens - firstObserved;
  const std::size_t row = static_cast<std::size_t>(index / observed) * tokens + firstObserved + index % observed;
  const float* own = partials + 2 * row * parts;
  float largest = -INFINITY;
  for (int part = 0; part < parts; ++part) largest = fmaxf(largest, own[2 * part]);
  float sum = 0.0f;
  for (int part = 0; part < parts; ++part) {
    if (own[2 * part + 1] > 0.0f) sum += own[2 * part + 1] * expf(own[2 * part] - largest);
  }
  logSums[row] = largest + logf(sum);
}

template <class Activation, NumberFormat format>
void launchMass(const AttentionMassSums& mass, cudaStream_t stream) {
  const ProjectedTokens& tokens = mass.tokens;
  const int observed = tokens.tokens - mass.firstObserved;
  const auto kvHeads = static_cast<unsigned int>(tokens.kvHeads);
  const std::size_t shared = sizeof(float) * (units + batch) * static_cast<std::size_t>(tileStride(tokens.headDim));
  MassLaunch arguments{mass, mass.logSums, nullptr};
  if (mass.reach != nullptr) {
    float* logSums = static_cast<float*>(mass.scratch);
    arguments.logSums = logSums;
    arguments.partials = logSums + static_cast<std::size_t>(tokens.heads) * tokens.tokens;
    const unsigned int batches =
        blocksFor(static_cast<std::int64_t>(observed) * (tokens.heads / tokens.kvHeads), batch);
    launch(denominatorsKernel<Activation, format>, dim3(parts, kvHeads, batches), dim3(threads), shared, stream,
           arguments);
    const int count = tokens.heads * observed;
    launch(joinDenominatorsKernel, dim3(blocksFor(count, threads)), dim3(threads), 0, stream, arguments.partials,
           logSums, tokens.tokens, mass.firstObserved, count);
  }
  launch(attentionMassKernel<Activation, format>, dim3(blocksFor(mass.cache.capacity, units), kvHeads), dim3(threads),
         shared, stream, arguments);
}

}  // namespace

std::size_t massScratchBytes(int tokens, int heads) {
  return (1 + 2 * static_cast<std::size_t>(parts)) * static_cast<std::size_t>(tokens) *
         static_cast<std::size_t>(heads) * sizeof(float);
}

void attentionMass(const AttentionMassSums& mass, cudaStream_t stream) {
  const ProjectedTokens& tokens = mass.tokens;
  expectHeadDim(tokens.format, tokens.headDim);
  expectRotaryDim(NumberFormat::float32, mass.rope.rotaryDim, tokens.headDim);
  expect(mass.reach == nullptr ? mass.logSums != nullptr : mass.scratch != nullptr,
         "Attention mass needs the log sums of the attention, or, with a reach, scratch for its own.");
  expect(mass.firstObserved >= 0 && mass.firstObserved <= tokens.tokens,
         "Cannot observe tokens from " + std::to_string(mass.firstObserved) + " of " + std::to_string(tokens.tokens) +
             ".");
  if (mass.firstObserved == tokens.tokens) return;
  withFloatType(tokens.format, "The activations' format", [&](auto type) {
    using Activation = typename decltype(type)::type;
    withCacheFormat(mass.cache.format, tokens.format, [&](auto format) {
      constexpr NumberFormat cacheFormat = decltype(format)::value;
      if constexpr (hasGroupScales(cacheFormat) || cacheFormat == formatOf<Activation>()) {
        launchMass<Activation, cacheFormat>(mass, stream);
      }
    });
  });
}

}  // namespace locret
