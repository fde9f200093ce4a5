#include "attention/attend-chunk.h"
#include "attention/attend-decode.h"
#include "attention/attention-mass.h"
#include "attention/cache-format.h"
#include "attention/rotate-keys.h"
#include "device/number-formats.h"
#include "device/stream.h"
#include "test/check/attention-reference.h"
#include "test/check/check.h"

namespace locret::check {
namespace {

constexpr NumberFormat activations[] = {NumberFormat::float32, NumberFormat::bfloat16, NumberFormat::float16};
constexpr int everyHeadDim[] = {16, 32, 64, 80, 96, 128};

std::size_t at(int row, int width) { return static_cast<std::size_t>(row) * static_cast<std::size_t>(width); }

/** Stages a case's units and attends from its new tokens; returns output and log sums. */
struct ChunkRun {
  explicit ChunkRun(const AttentionCase& attention, bool shared = false)
      : output(bytesOf(attention.sizes().activation,
                       at(attention.sizes().tokens * attention.sizes().heads, attention.sizes().headDim))),
        logSums(at(attention.sizes().heads, attention.sizes().tokens)) {
    const AttentionSizes& sizes = attention.sizes();
    const int stagingCapacity = attention.units() + 1;
    const std::size_t staged = bytesOf(sizes.activation, at(sizes.kvHeads * stagingCapacity, sizes.headDim));
    const bool valuesToo = hasGroupScales(sizes.cacheFormat);
    const DeviceArray<std::byte> keys(staged);
    const DeviceArray<std::byte> values(valuesToo ? staged : 0);
    const DeviceArray<std::byte> scratch(shared ? chunkScratchBytes(sizes.headDim) : 0);
    rotateKeys({attention.cache(), attention.rope(), keys.data(), values.data(), sizes.activation, stagingCapacity,
                attention.units()},
               nullptr);
    AttendChunk chunk{attention.newTokens(),
                      attention.rope(),
                      keys.data(),
                      valuesToo ? values.data() : attention.cache().values,
                      sizes.activation,
                      stagingCapacity,
                      sizes.retained,
                      sizes.window,
                      attention.scale(),
                      output.data(),
                      logSums.data()};
    if (!valuesToo) chunk.valueCapacity = attention.capacity();
    if (shared) chunk.scratch = scratch.data();
    attendChunk(chunk, nullptr);
    checkCuda(cudaDeviceSynchronize(), "Waiting for the chunk's attention");
  }

  DeviceArray<std::byte> output;
  DeviceArray<float> logSums;
};

void checkChunk(Report& report, const AttentionSizes& sizes, bool shared = false) {
  const AttentionCase attention(sizes);
  attention.fillCache();
  const ChunkRun run(attention, shared);
  const ExpectedAttention expected = attention.expected(false);
  const std::string text = sizes.describe() + (shared ? " in parts" : "");
  report.compare(text, decode(run.output.download(), sizes.activation), expected.output, attention.outputBound());
  report.compare(text + ": log sums", run.logSums.download(), expected.logSums, attention.logSumBound());
}

const Registration chunk{"attention/attend-chunk", [](Report& report) {
  for (const NumberFormat activation : activations) {
    for (const int headDim : everyHeadDim) checkChunk(report, {activation, activation, 4, 2, headDim, headDim, 70, 40});
    for (const int group : {1, 3, 7, 16}) checkChunk(report, {activation, activation, 2 * group, 2, 32, 32, 33, 21});
    // Nothing retained, one token, tiles that end exactly at the last unit or row, and one beyond.
    for (const int retained : {0, 1, 31, 32, 62, 63, 64}) {
      checkChunk(report, {activation, activation, 2, 1, 128, 128, retained, 1});
      checkChunk(report, {activation, activation, 2, 1, 64, 64, retained, 64});
      checkChunk(report, {activation, activation, 2, 1, 64, 64, retained, 65});
    }
    // With 105 and 163 the window of a tile's last row begins one unit behind the begin of a tile of keys.
    for (const int window : {1, 2, 20, 64, 105, 163, 200}) {
      checkChunk(report, {activation, activation, 4, 2, 32, 32, 100, 70, window});
    }
    checkChunk(report, {activation, activation, 4, 2, 128, 96, 40, 10, 0, 1.19f});
    checkChunk(report, {activation, NumberFormat::int8, 4, 2, 96, 96, 40, 30});
    checkChunk(report, {activation, NumberFormat::int4, 4, 2, 128, 128, 40, 30});
  }
  checkChunk(report, {NumberFormat::float32, NumberFormat::float32, 4, 2, 16, 12, 40, 30});
  for (const int headDim : {8, 24}) {
    checkChunk(report, {NumberFormat::float32, NumberFormat::float32, 4, 2, headDim, headDim, 40, 30});
  }
}};

const Registration parts{"attention/attend-chunk-parts", [](Report& report) {
  for (const NumberFormat activation : {NumberFormat::bfloat16, NumberFormat::float16}) {
    checkChunk(report, {activation, activation, 4, 2, 128, 128, 1'100, 3}, true);
    checkChunk(report, {activation, activation, 6, 2, 64, 64, 520, 50, 300}, true);
    checkChunk(report, {activation, activation, 4, 2, 80, 80, 10, 3}, true);
  }
}};

void checkDecode(Report& report, const AttentionSizes& sizes) {
  const AttentionCase attention(sizes);
  attention.fillCache();
  const DeviceArray<std::byte> output(bytesOf(sizes.activation, at(sizes.heads, sizes.headDim)));
  const DeviceArray<float> logSums(static_cast<std::size_t>(sizes.heads));
  const DeviceArray<std::byte> scratch(
      decodeScratchBytes(sizes.heads, sizes.kvHeads, sizes.headDim, attention.capacity()));
  attendDecode({attention.newTokens(), attention.cache(), attention.rope(), attention.length(), sizes.window,
                attention.scale(), output.data(), scratch.data(), logSums.data()},
               nullptr);
  const ExpectedAttention expected = attention.expected(sizes.activation != NumberFormat::float32);
  report.compare(sizes.describe(), decode(output.download(), sizes.activation), expected.output,
                 attention.outputBound());
  report.compare(sizes.describe() + ": log sums", logSums.download(), expected.logSums, attention.logSumBound());
}

const Registration decoding{"attention/attend-decode", [](Report& report) {
  for (const NumberFormat activation : activations) {
    for (const NumberFormat format : {activation, NumberFormat::int8, NumberFormat::int4}) {
      for (const int headDim : everyHeadDim) checkDecode(report, {activation, format, 4, 2, headDim, headDim, 70, 1});
      for (const int group : {1, 3, 8, 9, 16}) checkDecode(report, {activation, format, 3 * group, 3, 32, 32, 45, 1});
      for (const int retained : {0, 1, 15, 16, 31, 32, 200}) {
        checkDecode(report, {activation, format, 8, 1, 64, 64, retained, 1});
      }
      for (const int window : {1, 16, 50, 400}) checkDecode(report, {activation, format, 4, 2, 32, 32, 150, 1, window});
      checkDecode(report, {activation, format, 4, 2, 128, 96, 40, 1, 0, 1.19f});
    }
  }
  checkDecode(report, {NumberFormat::float32, NumberFormat::float32, 4, 2, 16, 12, 40, 1});
  checkDecode(report, {NumberFormat::float32, NumberFormat::float32, 4, 2, 24, 24, 40, 1});
}};

/** One captured graph serves every length: it is read on the device. */
const Registration captured{"attention/attend-decode-captured", [](Report& report) {
  for (const NumberFormat format : {NumberFormat::float32, NumberFormat::bfloat16}) {
    AttentionSizes sizes{format, format, 4, 2, 32, 32, 60, 1};
    const AttentionCase attention(sizes);
    attention.fillCache();
    const Stream stream;
    const DeviceArray<std::int32_t> length(1);
    const DeviceArray<std::byte> output(bytesOf(format, at(sizes.heads, sizes.headDim)));
    const DeviceArray<std::byte> scratch(
        decodeScratchBytes(sizes.heads, sizes.kvHeads, sizes.headDim, attention.capacity()));
    const AttendDecode decode{attention.newTokens(), attention.cache(), attention.rope(), length.data(),  0,
                              attention.scale(),     output.data(),     scratch.data(),   nullptr};
    const Graph graph = Graph::capture(stream, [&] { attendDecode(decode, stream); });
    for (const int retained : {0, 37, 60}) {
      const DeviceArray<std::int32_t> now(std::vector<std::int32_t>{retained});
      const DeviceArray<std::byte> expected(output.size());
      AttendDecode direct = decode;
      direct.length = now.data();
      direct.output = expected.data();
      attendDecode(direct, nullptr);
      checkCuda(cudaDeviceSynchronize(), "Waiting for the decode step");
      checkCuda(cudaMemcpy(length.data(), now.data(), sizeof(std::int32_t), cudaMemcpyDeviceToDevice),
                "Setting the length");
      checkCuda(cudaDeviceSynchronize(), "Waiting for the length");
      graph.launch(stream);
      stream.synchronize();
      report.same(std::to_string(retained) + " + 1 " + nameOf(format), output.download(), expected.download());
    }
  }
}};

void checkMass(Report& report, const AttentionSizes& sizes, int firstObserved, int reach = 0) {
  const AttentionCase attention(sizes);
  attention.fillCache();
  const ChunkRun run(attention);
  const std::vector<float> before(at(sizes.kvHeads, attention.capacity()), 0.25f);
  const DeviceArray<float> sums(before);
  const DeviceArray<std::int32_t> reachOnDevice(std::vector<std::int32_t>{reach});
  const DeviceArray<std::byte> scratch(reach > 0 ? massScratchBytes(sizes.tokens, sizes.heads) : 0);
  AttentionMassSums mass{attention.newTokens(), attention.cache(), attention.rope(),
                         attention.length(),    firstObserved,     sizes.window,
                         attention.scale(),     run.logSums.data(), sums.data()};
  if (reach > 0) {
    mass.logSums = nullptr;
    mass.reach = reachOnDevice.data();
    mass.scratch = scratch.data();
  }
  attentionMass(mass, nullptr);
  const ExpectedAttention expected = attention.expected(false, firstObserved, reach > 0 ? reach : attention.units());
  std::vector<double> all(before.begin(), before.end());
  for (int kvHead = 0; kvHead < sizes.kvHeads; ++kvHead) {
    for (int slot = 0; slot < attention.units(); ++slot) {
      all[at(kvHead, attention.capacity()) + static_cast<std::size_t>(slot)] +=
          expected.mass[at(kvHead, attention.units()) + static_cast<std::size_t>(slot)];
    }
  }
  const int observed = (sizes.tokens - firstObserved) * (sizes.heads / sizes.kvHeads);
  report.compare(sizes.describe() + " from " + std::to_string(firstObserved) +
                     (reach > 0 ? " below " + std::to_string(reach) : ""),
                 sums.download(), all, attention.logSumBound() * observed / 4);
}

const Registration mass{"attention/attention-mass", [](Report& report) {
  for (const NumberFormat activation : activations) {
    for (const NumberFormat format : {activation, NumberFormat::int8, NumberFormat::int4}) {
      checkMass(report, {activation, format, 4, 2, 32, 32, 70, 9}, 5);
      checkMass(report, {activation, format, 6, 2, 128, 128, 60, 11}, 0);
      checkMass(report, {activation, format, 6, 2, 80, 80, 70, 11}, 2, 64);
      checkMass(report, {activation, format, 4, 2, 64, 32, 150, 1}, 0, 150);
    }
    checkMass(report, {activation, activation, 4, 2, 32, 32, 70, 9, 30}, 5);
    checkMass(report, {activation, activation, 4, 2, 32, 32, 70, 9}, 9);
    checkMass(report, {activation, activation, 4, 2, 32, 32, 0, 1}, 0);
  }
}};

const Registration refusals{"attention/refusals", [](Report& report) {
  const AttentionCase attention({NumberFormat::bfloat16, NumberFormat::bfloat16, 34, 2, 32, 32, 3, 1});
  AttendDecode decode{attention.newTokens(), attention.cache(), attention.rope(), attention.length(), 0,
                      attention.scale(),     nullptr,           nullptr,          nullptr};
  report.expectError("17 query heads per KV head", "model-unsupported", [&] { attendDecode(decode, nullptr); });
  decode.tokens.heads = 4;
  decode.rope.rotaryDim = 24;
  report.expectError("24 turned channels on tensor cores", "model-unsupported", [&] { attendDecode(decode, nullptr); });
  decode.rope.rotaryDim = 32;
  decode.tokens.tokens = 2;
  report.expectError("two tokens in a decode step", "invalid-argument", [&] { attendDecode(decode, nullptr); });
  AttendChunk chunk{decode.tokens, attention.rope(), nullptr, nullptr, NumberFormat::bfloat16, 8, 7, 0, 1.0f, nullptr,
                    nullptr};
  report.expectError("more units than are staged", "invalid-argument", [&] { attendChunk(chunk, nullptr); });
  chunk.retained = 0;
  chunk.format = NumberFormat::float16;
  report.expectError("staged in another format", "invalid-argument", [&] { attendChunk(chunk, nullptr); });
  report.expectError("mass without log sums", "invalid-argument", [&] {
    attentionMass({attention.newTokens(), attention.cache(), attention.rope(), attention.length(), 0, 0, 1.0f, nullptr,
                   nullptr},
                  nullptr);
  });
}};

}  // namespace
}  // namespace locret::check
