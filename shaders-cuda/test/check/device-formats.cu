// Checks of the conversions between number formats, against arithmetic in float64.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "device/launch.cuh"
#include "device/number-formats.cuh"
#include "test/check/check.h"

namespace locret::check {

namespace {

template <class T>
__global__ void roundAndBack(const float* input, float* output, int count) {
  const int index = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (index < count) output[index] = toFloat(fromFloat<T>(input[index]));
}

template <class T>
__global__ void roundPairs(const float* input, float* output, int pairs) {
  const int index = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (index >= pairs) return;
  const float2 pair = unpackPair<T>(packPair<T>(input[2 * index], input[2 * index + 1]));
  output[2 * index] = pair.x;
  output[2 * index + 1] = pair.y;
}

// Rounds to `bits` significant bits, ties to even, with the smallest step `smallestStep`; beyond `largest`: infinite.
double roundTo(double value, int bits, double smallestStep, double largest) {
  if (value == 0 || !std::isfinite(value)) return value;
  int exponent = 0;
  std::frexp(value, &exponent);
  const double step = std::max(std::ldexp(1.0, exponent - bits), smallestStep);
  const double rounded = std::nearbyint(value / step) * step;
  return std::abs(rounded) > largest ? std::copysign(std::numeric_limits<double>::infinity(), value) : rounded;
}

// Ordinary, tied, subnormal and too large numbers.
std::vector<float> trickyNumbers() {
  Random random(5);
  std::vector<float> numbers{0.0f, -0.0f, 1.0f, 65504.0f, 65519.0f, 65520.0f, 1e6f, 0x1p-24f, 0x1p-25f, 0x1.8p-25f,
                             0x1.004p0f, 0x1.00cp0f, 0x1.01p0f, 0x1.03p0f, 0x1p-14f, 0x1.ffcp-15f, 0x1.ffep-15f,
                             std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};
  for (int index = 0; index < 4000; ++index) {
    numbers.push_back(std::ldexp(random.normal(), random.below(44) - 26));
  }
  if (numbers.size() % 2 != 0) numbers.push_back(2.0f);
  return numbers;
}

template <class T>
void checkRounding(Report& report, const char* name, int bits, double smallestStep, double largest) {
  const std::vector<float> input = trickyNumbers();
  std::vector<float> expected;
  for (const float value : input) expected.push_back(static_cast<float>(roundTo(value, bits, smallestStep, largest)));
  const DeviceArray<float> deviceInput(input);
  const DeviceArray<float> single(input.size());
  const DeviceArray<float> paired(input.size());
  const int count = static_cast<int>(input.size());
  launch(roundAndBack<T>, blocksFor(count, 128), 128, 0, cudaStream_t{}, deviceInput.data(), single.data(), count);
  launch(roundPairs<T>, blocksFor(count / 2, 128), 128, 0, cudaStream_t{}, deviceInput.data(), paired.data(),
         count / 2);
  report.same(std::string(name) + ", one by one", single.download(), expected);
  report.same(std::string(name) + ", in pairs", paired.download(), expected);
  report.same(std::string(name) + ", on the host", roundedTo(input, formatOf<T>()), expected);
}

__global__ void quantizeAll(const float* input, int* codes, float inverseScale, int limit) {
  codes[threadIdx.x] = quantize(input[threadIdx.x], inverseScale, limit);
}

void checkQuantize(Report& report) {
  std::vector<float> input{0.0f, 0.25f, -0.25f, 0.5f, -0.5f, 0.75f, 1.0f, 3.49f, 3.5f, -3.5f, 1e30f, -1e30f,
                           std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                           std::numeric_limits<float>::quiet_NaN(), -0.0f};
  input.resize(32, 0.1f);
  std::vector<int> expected{0, 0, 0, 1, -1, 2, 2, 7, 7, -7, 7, -7, 7, -7, 0, 0};
  // 0.25 * 2 is a tie: to even.
  expected.resize(32, 0);
  const DeviceArray<float> deviceInput(input);
  const DeviceArray<int> codes(32);
  launch(quantizeAll, 1, 32, 0, cudaStream_t{}, deviceInput.data(), codes.data(), 2.0f, 7);
  report.same("32 numbers to int4", codes.download(), expected);
}

__global__ void unpackCodes(std::uint32_t packed, int* codes) {
  const int index = static_cast<int>(threadIdx.x);
  codes[index] = index < 8 ? int4Code(packed, index) : (index < 12 ? int8Code(packed, index - 8) : 0);
}

void checkCodes(Report& report) {
  const DeviceArray<int> codes(32);
  launch(unpackCodes, 1, 32, 0, cudaStream_t{}, std::uint32_t{0x8f7081e2u}, codes.data());
  std::vector<int> expected{2, -2, 1, -8, 0, 7, -1, -8, -30, -127, 112, -113};
  expected.resize(32, 0);
  report.same("8 codes of 4 bits, 4 of 8 bits", codes.download(), expected);
}

__global__ void raise(const float* input, float* output) { output[threadIdx.x] = exp2Fast(input[threadIdx.x]); }

void checkExp2(Report& report) {
  std::vector<float> input{-std::numeric_limits<float>::infinity(), 0.0f, -200.0f};
  while (input.size() < 128) input.push_back(-0.25f * static_cast<float>(input.size()));
  const DeviceArray<float> deviceInput(input);
  const DeviceArray<float> output(128);
  launch(raise, 1, 128, 0, cudaStream_t{}, deviceInput.data(), output.data());
  std::vector<double> expected;
  for (const float value : input) expected.push_back(std::exp2(double{value}));
  report.compare("exp2Fast", output.download(), expected, 3e-7);
}

const Registration rounding{"device/rounding", [](Report& report) {
                              checkRounding<__nv_bfloat16>(report, "bfloat16", 8, 0x1p-133, 0x1.fep127);
                              checkRounding<__half>(report, "float16", 11, 0x1p-24, 65504);
                            }};
const Registration quantizing{"device/quantize", [](Report& report) {
                                checkQuantize(report);
                                checkCodes(report);
                              }};
const Registration exponential{"device/exp2", checkExp2};

}  // namespace

}  // namespace locret::check
