// Checks of what the kernels are built of: reductions, tensor cores, copies, number formats.

#include <cmath>

#include "check/check.h"
#include "device/launch.cuh"
#include "device/number-formats.cuh"
#include "device/tensor-core.cuh"
#include "device/warp.cuh"

namespace locret::check {

namespace {

__global__ void sumBlocks(const float* input, float* sums) {
  const float total = blockSum<256>(input[blockIdx.x * blockDim.x + threadIdx.x]);
  if (threadIdx.x == 0) sums[blockIdx.x] = total;
}

// C = A · Bᵀ, A 16 x 16, B 8 x 16, through shared memory, ldmatrix and mma.
template <class T>
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
  loadMatricesX2(right, sharedB + (lane % 8) * 16 + lane / 8 % 2 * 8);
  float sums[4] = {};
  multiplyM16N8K16<T>(sums, left, right);
  for (int index = 0; index < 4; ++index) {
    c[(lane / 4 + 8 * (index / 2)) * 8 + 2 * (lane % 4) + index % 2] = sums[index];
  }
}

template <class T>
void checkTile(Report& report, const char* name) {
  Random random(1);
  const NumberFormat format = formatOf<T>();
  const std::vector<float> a = roundedTo(random.normals(16 * 16), format);
  const std::vector<float> b = roundedTo(random.normals(8 * 16), format);
  const DeviceArray<std::byte> deviceA(encode(a, format));
  const DeviceArray<std::byte> deviceB(encode(b, format));
  const DeviceArray<float> c(16 * 8);
  launch(multiplyTile<T>, 1, 32, 24 * 16 * sizeof(T), cudaStream_t{}, reinterpret_cast<const T*>(deviceA.data()),
         reinterpret_cast<const T*>(deviceB.data()), c.data());
  std::vector<double> expected;
  for (int row = 0; row < 16; ++row) {
    for (int column = 0; column < 8; ++column) {
      double sum = 0;
      for (int inner = 0; inner < 16; ++inner) sum += double{a[row * 16 + inner]} * b[column * 16 + inner];
      expected.push_back(sum);
    }
  }
  report.compare(name, c.download(), expected, 1e-5);
}

const Registration sums{"device/blockSum", [](Report& report) {
                          Random random(2);
                          const std::vector<float> input = random.normals(3 * 256);
                          const DeviceArray<float> deviceInput(input);
                          const DeviceArray<float> result(3);
                          launch(sumBlocks, 3, 256, 0, cudaStream_t{}, deviceInput.data(), result.data());
                          std::vector<double> expected(3);
                          for (std::size_t index = 0; index < input.size(); ++index) expected[index / 256] += input[index];
                          report.compare("3 x 256", result.download(), expected, 1e-4);
                        }};

const Registration tiles{"device/tensorCore", [](Report& report) {
                           checkTile<__nv_bfloat16>(report, "16 x 8 x 16 bfloat16");
                           checkTile<__half>(report, "16 x 8 x 16 float16");
                         }};

}  // namespace

}  // namespace locret::check
