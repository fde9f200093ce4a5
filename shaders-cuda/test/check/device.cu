// Checks of what the kernels are built of: reductions, tensor cores, copies to shared memory.

#include <algorithm>
#include <cstdint>

#include "device/launch.cuh"
#include "device/number-formats.cuh"
#include "device/tensor-core.cuh"
#include "device/warp.cuh"
#include "test/check/check.h"

namespace locret::check {

namespace {

constexpr int threads = 256;

__global__ void reduceBlocks(const float* input, float* sums, float* maxima, float* quarterSums, float* prefixes) {
  const int index = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  const float value = input[index];
  sums[index] = blockSum<threads>(value);
  maxima[index] = blockMaximum<threads>(value);
  quarterSums[index] = warpSum<8>(value);
  prefixes[index] = warpInclusiveSum(value);
}

void checkReductions(Report& report) {
  constexpr int blocks = 3;
  Random random(2);
  const std::vector<float> input = random.normals(blocks * threads);
  const DeviceArray<float> deviceInput(input);
  const DeviceArray<float> sums(input.size());
  const DeviceArray<float> maxima(input.size());
  const DeviceArray<float> quarterSums(input.size());
  const DeviceArray<float> prefixes(input.size());
  launch(reduceBlocks, blocks, threads, 0, cudaStream_t{}, deviceInput.data(), sums.data(), maxima.data(),
         quarterSums.data(), prefixes.data());
  std::vector<double> expectedSums(input.size());
  std::vector<double> expectedMaxima(input.size());
  std::vector<double> expectedQuarters(input.size());
  std::vector<double> expectedPrefixes(input.size());
  for (std::size_t index = 0; index < input.size(); ++index) {
    const std::size_t block = index / threads * threads;
    expectedMaxima[index] = input[block];
    for (std::size_t other = block; other < block + threads; ++other) {
      expectedSums[index] += input[other];
      expectedMaxima[index] = std::max(expectedMaxima[index], double{input[other]});
      if (other / 8 == index / 8) expectedQuarters[index] += input[other];
      if (other / 32 == index / 32 && other <= index) expectedPrefixes[index] += input[other];
    }
  }
  report.compare("blockSum, 3 x 256", sums.download(), expectedSums, 1e-4);
  report.compare("blockMaximum, 3 x 256", maxima.download(), expectedMaxima, 0);
  report.compare("warpSum<8>", quarterSums.download(), expectedQuarters, 1e-5);
  report.compare("warpInclusiveSum", prefixes.download(), expectedPrefixes, 1e-5);
}

// C = A · Bᵀ, A 16 x 16, B 8 x 16, through shared memory, ldmatrix and mma. Transposed: B is given as 16 x 8.
template <class T, bool transposed>
__global__ void multiplyTile(const T* a, const T* b, float* c) {
  LOCRET_DYNAMIC_SHARED(T, shared);
  T* sharedA = shared;
  T* sharedB = shared + 16 * 16;
  const int lane = laneIndex();
  beginCopy16(sharedA + lane * 8, a + lane * 8);
  if (lane < 16) beginCopy16(sharedB + lane * 8, b + lane * 8);
  commitCopies();
  waitForCopies<0>();
  __syncthreads();
  std::uint32_t left[4];
  std::uint32_t right[2];
  // Matrices: rows 0-7, rows 8-15, then the same of columns 8-15.
  loadMatricesX4(left, sharedA + (lane % 16) * 16 + lane / 16 * 8);
  if constexpr (transposed) {
    loadMatricesX2Transposed(right, sharedB + (lane % 16) * 8);
  } else {
    loadMatricesX2(right, sharedB + (lane % 8) * 16 + lane / 8 % 2 * 8);
  }
  float sums[4] = {};
  multiplyM16N8K16<T>(sums, left, right);
  for (int index = 0; index < 4; ++index) {
    c[(lane / 4 + 8 * (index / 2)) * 8 + 2 * (lane % 4) + index % 2] = sums[index];
  }
}

template <class T, bool transposed>
void checkTile(Report& report, const char* sizes) {
  Random random(1);
  const NumberFormat format = formatOf<T>();
  const std::vector<float> a = roundedTo(random.normals(16 * 16), format);
  const std::vector<float> b = roundedTo(random.normals(8 * 16), format);
  const DeviceArray<std::byte> deviceA(encode(a, format));
  const DeviceArray<std::byte> deviceB(encode(b, format));
  const DeviceArray<float> c(16 * 8);
  launch(multiplyTile<T, transposed>, 1, 32, 24 * 16 * sizeof(T), cudaStream_t{},
         reinterpret_cast<const T*>(deviceA.data()), reinterpret_cast<const T*>(deviceB.data()), c.data());
  std::vector<double> expected;
  for (std::size_t row = 0; row < 16; ++row) {
    for (std::size_t column = 0; column < 8; ++column) {
      double sum = 0;
      for (std::size_t inner = 0; inner < 16; ++inner) {
        sum += double{a[row * 16 + inner]} * b[transposed ? inner * 8 + column : column * 16 + inner];
      }
      expected.push_back(sum);
    }
  }
  report.compare(sizes, c.download(), expected, 1e-5);
}

// The fragments are read from memory as the comment of multiplyM16N8K32 says they lie.
__global__ void multiplyBytes(const signed char* a, const signed char* b, int* c) {
  const int group = laneIndex() / 4;
  const int member = laneIndex() % 4;
  std::uint32_t left[4];
  std::uint32_t right[2];
  for (int part = 0; part < 4; ++part) {
    const int row = group + 8 * (part % 2);
    left[part] = *reinterpret_cast<const std::uint32_t*>(a + row * 32 + 4 * member + 16 * (part / 2));
  }
  for (int part = 0; part < 2; ++part) {
    right[part] = *reinterpret_cast<const std::uint32_t*>(b + group * 32 + 4 * member + 16 * part);
  }
  std::int32_t sums[4] = {};
  multiplyM16N8K32(sums, left, right);
  for (int index = 0; index < 4; ++index) c[(group + 8 * (index / 2)) * 8 + 2 * member + index % 2] = sums[index];
}

void checkByteTile(Report& report) {
  Random random(3);
  std::vector<signed char> a(16 * 32);
  std::vector<signed char> b(8 * 32);
  for (signed char& code : a) code = static_cast<signed char>(random.below(255) - 127);
  for (signed char& code : b) code = static_cast<signed char>(random.below(255) - 127);
  const DeviceArray<signed char> deviceA(a);
  const DeviceArray<signed char> deviceB(b);
  const DeviceArray<int> c(16 * 8);
  launch(multiplyBytes, 1, 32, 0, cudaStream_t{}, deviceA.data(), deviceB.data(), c.data());
  std::vector<int> expected;
  for (std::size_t row = 0; row < 16; ++row) {
    for (std::size_t column = 0; column < 8; ++column) {
      int sum = 0;
      for (std::size_t inner = 0; inner < 32; ++inner) sum += a[row * 32 + inner] * b[column * 32 + inner];
      expected.push_back(sum);
    }
  }
  report.same("16 x 8 x 32 bytes", c.download(), expected);
}

// Two groups of copies: the first is read while the second is still on its way. Not valid: zeros.
__global__ void copyInGroups(const float* input, float* output, int valid) {
  __shared__ __align__(16) float shared[2][128];
  const int thread = static_cast<int>(threadIdx.x);
  for (int group = 0; group < 2; ++group) {
    beginCopy16(&shared[group][4 * thread], input + group * 128 + 4 * thread, group * 128 + 4 * thread < valid);
    commitCopies();
  }
  waitForCopies<1>();
  __syncthreads();
  for (int index = thread; index < 128; index += 32) output[index] = shared[0][127 - index];
  waitForCopies<0>();
  __syncthreads();
  for (int index = thread; index < 128; index += 32) output[128 + index] = shared[1][127 - index];
}

void checkCopies(Report& report) {
  Random random(4);
  const std::vector<float> input = random.normals(256);
  const DeviceArray<float> deviceInput(input);
  const DeviceArray<float> output(256);
  constexpr int valid = 200;
  launch(copyInGroups, 1, 32, 0, cudaStream_t{}, deviceInput.data(), output.data(), valid);
  std::vector<float> expected(256);
  for (std::size_t index = 0; index < 256; ++index) {
    const std::size_t source = index / 128 * 128 + 127 - index % 128;
    expected[index] = source < valid ? input[source] : 0.0f;
  }
  report.same("2 groups of 512 bytes, 200 of 256 numbers", output.download(), expected);
}

const Registration reductions{"device/reductions", checkReductions};
const Registration tiles{"device/tensor-core", [](Report& report) {
                           checkTile<__nv_bfloat16, false>(report, "16 x 8 x 16 bfloat16");
                           checkTile<__half, false>(report, "16 x 8 x 16 float16");
                           checkTile<__nv_bfloat16, true>(report, "16 x 8 x 16 bfloat16, transposed");
                           checkTile<__half, true>(report, "16 x 8 x 16 float16, transposed");
                           checkByteTile(report);
                         }};
const Registration copies{"device/copies", checkCopies};

}  // namespace

}  // namespace locret::check
