// Attention in the shape of Llama-3.1-8B: 32 query heads on 8 KV heads of 128 channels, 16,384 units retained.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "attention/append-units.h"
#include "attention/attend-chunk.h"
#include "attention/attend-decode.h"
#include "attention/attention-mass.h"
#include "attention/cache-format.h"
#include "attention/rotate-keys.h"
#include "bench/bench.h"
#include "device/device-memory.h"
#include "device/number-formats.h"

namespace locret::bench {
namespace {

constexpr int heads = 32;
constexpr int kvHeads = 8;
constexpr int headDim = 128;
constexpr int retained = 16'384;
constexpr int mostTokens = 3'072;
constexpr int capacity = retained + mostTokens;
constexpr float scale = 0.08838834764831845f;
constexpr NumberFormat activation = NumberFormat::bfloat16;
constexpr NumberFormat cacheFormats[] = {NumberFormat::bfloat16, NumberFormat::int8, NumberFormat::int4};

constexpr std::size_t numbersOf(std::size_t rows, std::size_t columns) { return rows * columns * headDim; }

template <class T>
DeviceBuffer upload(const std::vector<T>& values) {
  DeviceBuffer buffer(values.size() * sizeof(T), "numbers to measure with");
  checkCuda(cudaMemcpy(buffer.data(), values.data(), buffer.bytes(), cudaMemcpyHostToDevice), "Copying numbers");
  return buffer;
}

/** bfloat16 numbers in -2..2 from a hash of their place. */
std::vector<std::uint16_t> makeTokens() {
  std::vector<std::uint16_t> numbers(numbersOf(mostTokens, heads + 2 * kvHeads));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::uint32_t hash = static_cast<std::uint32_t>(i) * 2654435761u;
    hash ^= hash >> 15;
    hash *= 2246822519u;
    const float number = static_cast<float>(hash >> 8) * 0x1p-22f - 2.0f;
    std::uint32_t bits = 0;
    std::memcpy(&bits, &number, sizeof bits);
    numbers[i] = static_cast<std::uint16_t>(bits >> 16);
  }
  return numbers;
}

std::vector<float> makeTable(bool sine) {
  constexpr int pairs = headDim / 2;
  std::vector<float> table;
  table.reserve(static_cast<std::size_t>(capacity) * pairs);
  for (int slot = 0; slot < capacity; ++slot) {
    for (int pair = 0; pair < pairs; ++pair) {
      const double angle = slot * std::pow(500'000.0, -2.0 * pair / headDim);
      table.push_back(static_cast<float>(sine ? std::sin(angle) : std::cos(angle)));
    }
  }
  return table;
}

/** A full cache of one layer, and what attention over it needs. */
struct Layer {
  explicit Layer(NumberFormat format)
      : format(format),
        unitBytes(cacheUnitBytes(format, headDim)),
        tokens(upload(makeTokens())),
        cosine(upload(makeTable(false))),
        sine(upload(makeTable(true))),
        keys(unitBytes.keys * kvHeads * capacity, "keys"),
        values(unitBytes.values * kvHeads * capacity, "values"),
        keyScales(unitBytes.keyScales * kvHeads * capacity, "key scales"),
        valueScales(unitBytes.valueScales * kvHeads * capacity, "value scales"),
        channelScales(keyChannelScaleBytes(format, kvHeads, headDim), "channel scales"),
        indices(sizeof(std::int32_t) * kvHeads * capacity, "token indices"),
        lengths(upload(std::vector<std::int32_t>{0, retained})) {
    calibrateKeys({projected(mostTokens), cache(), headDim}, nullptr);
    for (std::int32_t begin = 0; begin < capacity; begin += mostTokens) {
      const DeviceBuffer length = upload(std::vector<std::int32_t>{begin});
      const int count = begin + mostTokens <= capacity ? mostTokens : capacity - begin;
      appendUnits({projected(count), cache(), length.as<std::int32_t>(), length.as<std::int32_t>()}, nullptr);
      checkCuda(cudaDeviceSynchronize(), "Filling the cache");
    }
  }

  ProjectedTokens projected(int count) const { return {tokens.data(), activation, count, heads, kvHeads, headDim}; }
  LayerCacheView cache() const {
    return {format,
            keys.data(),
            values.data(),
            keyScales.data(),
            valueScales.data(),
            channelScales.data(),
            nullptr,
            indices.as<std::int32_t>(),
            kvHeads,
            headDim,
            capacity};
  }
  RopeTable rope() const { return {cosine.as<float>(), sine.as<float>(), headDim}; }
  const std::int32_t* retainedLength() const { return lengths.as<std::int32_t>() + 1; }
  double bytesPerUnit() const {
    return static_cast<double>(unitBytes.keys + unitBytes.values + unitBytes.keyScales + unitBytes.valueScales);
  }

  NumberFormat format;
  CacheUnitBytes unitBytes;
  DeviceBuffer tokens;
  DeviceBuffer cosine;
  DeviceBuffer sine;
  DeviceBuffer keys;
  DeviceBuffer values;
  DeviceBuffer keyScales;
  DeviceBuffer valueScales;
  DeviceBuffer channelScales;
  DeviceBuffer indices;
  DeviceBuffer lengths;
};

DeviceBuffer numbers(std::size_t rows, std::size_t columns) {
  return {bytesOf(activation, numbersOf(rows, columns)), "numbers to measure with"};
}

std::string over(int units) { return " over " + std::to_string(units) + " units"; }

const Registration chunks{"attention/chunk", [](Bench& bench) {
  bench.begin("attention/chunk");
  const Layer layer(activation);
  const DeviceBuffer staging = numbers(kvHeads, capacity);
  const DeviceBuffer output = numbers(mostTokens, heads);
  const DeviceBuffer scratch(chunkScratchBytes(headDim), "scratch");
  rotateKeys({layer.cache(), layer.rope(), staging.data(), nullptr, activation, capacity, capacity}, nullptr);
  checkCuda(cudaDeviceSynchronize(), "Staging keys");
  for (const int tokens : {32, 256, 1'024, mostTokens}) {
    AttendChunk chunk{layer.projected(tokens), layer.rope(), staging.data(), layer.values.data(), activation, capacity,
                      retained,                0,            scale,          output.data(),       nullptr};
    chunk.scratch = scratch.data();
    const double pairs = static_cast<double>(tokens) * retained + tokens * (tokens + 1.0) / 2;
    bench.measure(std::to_string(tokens) + " tokens" + over(retained + tokens), {0, 4.0 * headDim * heads * pairs},
                  [&](cudaStream_t stream) { attendChunk(chunk, stream); });
  }
}};

const Registration staging{"attention/rotate-keys", [](Bench& bench) {
  bench.begin("attention/rotate-keys");
  for (const NumberFormat format : cacheFormats) {
    const Layer layer(format);
    const DeviceBuffer keys = numbers(kvHeads, capacity);
    const DeviceBuffer values = numbers(kvHeads, hasGroupScales(format) ? capacity : 0);
    const int units = retained + 1'024;
    const double read = hasGroupScales(format) ? layer.bytesPerUnit() : layer.bytesPerUnit() / 2;
    const double written = headDim * 2.0 * (hasGroupScales(format) ? 2 : 1);
    bench.measure(std::string(nameOf(format)) + over(units), {units * kvHeads * (read + written), 0},
                  [&](cudaStream_t stream) {
                    rotateKeys({layer.cache(), layer.rope(), keys.data(), values.data(), activation, capacity, units},
                               stream);
                  });
  }
}};

const Registration appending{"attention/append-units", [](Bench& bench) {
  bench.begin("attention/append-units");
  for (const NumberFormat format : cacheFormats) {
    const Layer layer(format);
    const int tokens = 1'024;
    bench.measure(std::to_string(tokens) + " tokens " + nameOf(format),
                  {tokens * kvHeads * (headDim * 4.0 + layer.bytesPerUnit()), 0}, [&](cudaStream_t stream) {
                    appendUnits({layer.projected(tokens), layer.cache(), layer.retainedLength(),
                                 layer.retainedLength()},
                                stream);
                  });
  }
}};

const Registration decoding{"attention/decode", [](Bench& bench) {
  bench.begin("attention/decode");
  const DeviceBuffer output = numbers(1, heads);
  const DeviceBuffer scratch(decodeScratchBytes(heads, kvHeads, headDim, capacity), "scratch");
  for (const NumberFormat format : cacheFormats) {
    const Layer layer(format);
    bench.measure(std::string(nameOf(format)) + over(retained + 1),
                  {(retained + 1) * kvHeads * layer.bytesPerUnit(), 0},
                  [&](cudaStream_t stream) {
                    attendDecode({layer.projected(1), layer.cache(), layer.rope(), layer.retainedLength(), 0, scale,
                                  output.data(), scratch.data(), nullptr},
                                 stream);
                  });
  }
}};

const Registration mass{"attention/mass", [](Bench& bench) {
  bench.begin("attention/mass");
  const Layer layer(activation);
  const DeviceBuffer logSums(sizeof(float) * heads * mostTokens, "log sums");
  const DeviceBuffer sums(sizeof(float) * kvHeads * capacity, "sums");
  checkCuda(cudaMemset(logSums.data(), 0, logSums.bytes()), "Clearing log sums");
  checkCuda(cudaMemset(sums.data(), 0, sums.bytes()), "Clearing sums");
  for (const int tokens : {1, 32}) {
    const int units = retained + tokens;
    bench.measure(std::to_string(tokens) + " tokens" + over(units), {units * kvHeads * layer.bytesPerUnit() / 2, 0},
                  [&](cudaStream_t stream) {
                    attentionMass({layer.projected(tokens), layer.cache(), layer.rope(), layer.retainedLength(), 0, 0,
                                   scale, logSums.as<float>(), sums.as<float>()},
                                  stream);
                  });
  }
}};

}  // namespace
}  // namespace locret::bench
