#include "eviction/compact-units.h"

#include "attention/cache-format.h"
#include "device/error.h"
#include "device/launch.cuh"
#include "device/warp.cuh"

#include <algorithm>
#include <cstdint>
#include <string>

namespace locret {
namespace {

constexpr int threads = 256;
/** What a thread holds between its loads and its stores. */
constexpr int vectorsPerThread = 8;
constexpr int vectorsPerTile = threads * vectorsPerThread;
constexpr int mostPlanes = 6;

/** One array of the cache, `[kvHeads, capacity]` units of so many bytes. */
struct Plane {
  unsigned char* units;
  int unitBytes;
  /** Bytes of one load. */
  int vectorBytes;
  /** Units that a block moves. */
  int tileUnits;
  /** The first of this plane's blocks and marks, `[tiles, kvHeads]`: a block is a tile of one head. */
  int firstBlock;
};

struct Movement {
  Plane planes[mostPlanes];
  int planeCount;
  int kvHeads;
  int capacity;
  const std::int32_t* kept;
  int keptStride;
  int keptCount;
  /** Blocks that have started. */
  int* started;
  /** By block: 1 when its units are read. */
  int* loaded;
};

/** Reads the units of a destination tile from their old slots, waits until nobody else reads there, and writes them. */
template <typename Vector>
__device__ void moveTile(const Movement& movement, const Plane& plane, int head, int tile) {
  const int thread = static_cast<int>(threadIdx.x);
  const int first = tile * plane.tileUnits;
  const int end = min(first + plane.tileUnits, movement.keptCount);
  const std::int32_t* kept = movement.kept + static_cast<std::size_t>(head) * movement.keptStride;
  // Before the first gap nothing moves, and nobody waits for a tile that reads only its own destination.
  if (kept[end - 1] == end - 1) return;

  Vector* units =
      reinterpret_cast<Vector*>(plane.units + static_cast<std::size_t>(head) * movement.capacity * plane.unitBytes);
  const int vectorsPerUnit = plane.unitBytes / static_cast<int>(sizeof(Vector));
  const int vectors = (end - first) * vectorsPerUnit;
  Vector held[vectorsPerThread];
#pragma unroll
  for (int i = 0; i < vectorsPerThread; ++i) {
    const int vector = i * threads + thread;
    if (vector >= vectors) continue;
    const int unit = vector / vectorsPerUnit;
    held[i] = units[static_cast<std::size_t>(kept[first + unit]) * vectorsPerUnit + (vector - unit * vectorsPerUnit)];
  }
  __syncthreads();

  int* loaded = movement.loaded + plane.firstBlock + head;
  if (thread == 0) {
    __threadfence();
    atomicExch(&loaded[tile * movement.kvHeads], 1);
  }
  if (thread < lanesPerWarp) {
    for (int before = tile - 1 - thread; before >= 0; before -= lanesPerWarp) {
      if (kept[(before + 1) * plane.tileUnits - 1] < first) break;
      while (atomicAdd(&loaded[before * movement.kvHeads], 0) == 0) {
      }
    }
    __threadfence();
  }
  __syncthreads();

  Vector* destination = units + static_cast<std::size_t>(first) * vectorsPerUnit;
#pragma unroll
  for (int i = 0; i < vectorsPerThread; ++i) {
    const int vector = i * threads + thread;
    if (vector < vectors) destination[vector] = held[i];
  }
}

__global__ void __launch_bounds__(threads) compactUnitsKernel(Movement movement) {
  __shared__ int ticket;
  if (threadIdx.x == 0) ticket = atomicAdd(movement.started, 1);
  __syncthreads();
  Plane plane = movement.planes[0];
#pragma unroll
  for (int i = 1; i < mostPlanes; ++i) {
    if (i < movement.planeCount && movement.planes[i].firstBlock <= ticket) plane = movement.planes[i];
  }
  // Heads alternate, so that tiles that wait for each other start far apart.
  const int block = ticket - plane.firstBlock;
  const int tile = block / movement.kvHeads;
  const int head = block - tile * movement.kvHeads;
  switch (plane.vectorBytes) {
    case 16:
      return moveTile<uint4>(movement, plane, head, tile);
    case 8:
      return moveTile<uint2>(movement, plane, head, tile);
    case 4:
      return moveTile<std::uint32_t>(movement, plane, head, tile);
    default:
      return moveTile<std::uint16_t>(movement, plane, head, tile);
  }
}

/** The largest power of two up to 16 that a unit is a multiple of. */
int vectorBytesOf(std::size_t unitBytes) {
  int bytes = 16;
  while (unitBytes % static_cast<std::size_t>(bytes) != 0) bytes /= 2;
  return bytes;
}

/** The planes of a cache, their blocks numbered one after the other. */
struct PlaneList {
  Plane planes[mostPlanes] = {};
  int count = 0;
  int blocks = 0;

  void add(void* units, std::size_t unitBytes, int kvHeads, int unitCount) {
    if (unitBytes == 0) return;
    const int vectorBytes = vectorBytesOf(unitBytes);
    const int tileUnits = vectorsPerTile / (static_cast<int>(unitBytes) / vectorBytes);
    const int tiles = (unitCount + tileUnits - 1) / tileUnits;
    planes[count++] = {static_cast<unsigned char*>(units), static_cast<int>(unitBytes), vectorBytes, tileUnits, blocks};
    blocks += tiles * kvHeads;
  }
};

PlaneList planesOf(const LayerCacheView& cache, int unitCount) {
  const CacheUnitBytes bytes = cacheUnitBytes(cache.format, cache.headDim);
  PlaneList list;
  list.add(cache.keys, bytes.keys, cache.kvHeads, unitCount);
  list.add(cache.values, bytes.values, cache.kvHeads, unitCount);
  list.add(cache.keyScales, bytes.keyScales, cache.kvHeads, unitCount);
  list.add(cache.valueScales, bytes.valueScales, cache.kvHeads, unitCount);
  list.add(cache.scores, sizeof(float), cache.kvHeads, unitCount);
  list.add(cache.tokenIndices, sizeof(std::int32_t), cache.kvHeads, unitCount);
  return list;
}

}  // namespace

std::size_t compactScratchBytes(const LayerCacheView& cache) {
  return (1 + static_cast<std::size_t>(planesOf(cache, cache.capacity).blocks)) * sizeof(int);
}

void compactUnits(const CompactUnits& compaction, cudaStream_t stream) {
  const LayerCacheView& cache = compaction.cache;
  const int most = std::min(compaction.keptStride, cache.capacity);
  expect(compaction.keptCount >= 1 && compaction.keptCount <= most,
         "Cannot move " + std::to_string(compaction.keptCount) + " cache units per KV head; expected 1 to " +
             std::to_string(most) + ".");
  const PlaneList list = planesOf(cache, compaction.keptCount);
  for (const Plane& plane : list.planes) {
    expect(reinterpret_cast<std::uintptr_t>(plane.units) % 16 == 0,
           "An array of the cache does not start at a multiple of 16 bytes; allocate it so.");
  }
  int* scratch = static_cast<int*>(compaction.scratch);
  Movement movement{{},
                    list.count,
                    cache.kvHeads,
                    cache.capacity,
                    compaction.kept,
                    compaction.keptStride,
                    compaction.keptCount,
                    scratch,
                    scratch + 1};
  std::copy(list.planes, list.planes + list.count, movement.planes);
  checkCuda(cudaMemsetAsync(scratch, 0, (1 + static_cast<std::size_t>(list.blocks)) * sizeof(int), stream),
            "clearing the marks of a compaction");
  launch(compactUnitsKernel, static_cast<unsigned>(list.blocks), threads, 0, stream, movement);
}

}  // namespace locret
