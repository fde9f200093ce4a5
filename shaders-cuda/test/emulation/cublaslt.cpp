#include "test/emulation/cublaslt.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "test/emulation/device-memory.h"
#include "test/emulation/machine.h"
#include "test/emulation/runtime-state.h"

namespace locret::emulation {
namespace {

// Of the documentation: cublasStatus_t, cudaDataType_t, cublasComputeType_t and the attributes.
constexpr int success = 0;
constexpr int invalidValue = 7;
constexpr int notSupported = 15;
constexpr int real32 = 0;
constexpr int real16 = 2;
constexpr int brain16 = 14;
constexpr int compute32 = 68;
constexpr int transposeFirst = 3;
constexpr int mostWorkspaceBytes = 1;

struct Description {
  bool transposesFirst = false;
};

struct Layout {
  int type;
  std::uint64_t rows;
  std::uint64_t columns;
  std::int64_t stride;
};

struct Preference {
  std::uint64_t workspaceBytes = 0;
};

/** cublasLtMatmulHeuristicResult_t. */
struct Heuristic {
  std::array<std::uint64_t, 8> algorithm;
  std::size_t workspaceBytes;
  int status;
  float waves;
  std::array<int, 4> reserved;
};
static_assert(sizeof(Heuristic) == 96 && offsetof(Heuristic, workspaceBytes) == 64 && offsetof(Heuristic, status) == 72);

constexpr std::uint64_t onlyAlgorithm = 0x6c6f6372'65740001u;

int createHandle(void** handle) {
  static int library = 0;
  *handle = &library;
  return success;
}

int createDescription(void** description, int compute, int scale) {
  if (compute != compute32 || scale != real32) return notSupported;
  *description = new Description;
  return success;
}

int destroyDescription(void* description) {
  delete static_cast<Description*>(description);
  return success;
}

int setDescription(void* description, int attribute, const void* value, std::size_t bytes) {
  if (attribute != transposeFirst || bytes != sizeof(std::int32_t)) return invalidValue;
  std::int32_t operation = 0;
  std::memcpy(&operation, value, sizeof operation);
  static_cast<Description*>(description)->transposesFirst = operation == 1;
  return success;
}

int createLayout(void** layout, int type, std::uint64_t rows, std::uint64_t columns, std::int64_t stride) {
  const bool isKnown = type == real32 || type == real16 || type == brain16;
  if (!isKnown || stride < static_cast<std::int64_t>(rows)) return invalidValue;
  *layout = new Layout{type, rows, columns, stride};
  return success;
}

int destroyLayout(void* layout) {
  delete static_cast<Layout*>(layout);
  return success;
}

int createPreference(void** preference) {
  *preference = new Preference;
  return success;
}

int destroyPreference(void* preference) {
  delete static_cast<Preference*>(preference);
  return success;
}

int setPreference(void* preference, int attribute, const void* value, std::size_t bytes) {
  if (attribute != mostWorkspaceBytes || bytes != sizeof(std::uint64_t)) return invalidValue;
  std::memcpy(&static_cast<Preference*>(preference)->workspaceBytes, value, bytes);
  return success;
}

/** D = op(A) · B: A is m × k or, when it is transposed, k × m; B is k × n and D m × n. */
bool fits(const Description& description, const Layout& a, const Layout& b, const Layout& d) {
  const std::uint64_t rows = description.transposesFirst ? a.columns : a.rows;
  const std::uint64_t inner = description.transposesFirst ? a.rows : a.columns;
  return rows == d.rows && inner == b.rows && b.columns == d.columns && a.type == b.type;
}

int findAlgorithms(void*, void* description, void* a, void* b, void*, void* d, void*, int wanted, Heuristic* results,
                   int* found) {
  *found = 0;
  if (!fits(*static_cast<Description*>(description), *static_cast<Layout*>(a), *static_cast<Layout*>(b),
            *static_cast<Layout*>(d))) {
    return invalidValue;
  }
  if (wanted < 1) return invalidValue;
  results[0] = {};
  results[0].algorithm[0] = onlyAlgorithm;
  *found = 1;
  return success;
}

float elementOf(const void* matrix, const Layout& layout, std::uint64_t row, std::uint64_t column) {
  const std::uint64_t index = column * static_cast<std::uint64_t>(layout.stride) + row;
  if (layout.type == real32) return static_cast<const float*>(matrix)[index];
  if (layout.type == real16) return __half2float(static_cast<const __half*>(matrix)[index]);
  return __bfloat162float(static_cast<const __nv_bfloat16*>(matrix)[index]);
}

void setElement(void* matrix, const Layout& layout, std::uint64_t row, std::uint64_t column, float value) {
  const std::uint64_t index = column * static_cast<std::uint64_t>(layout.stride) + row;
  if (layout.type == real32) {
    static_cast<float*>(matrix)[index] = value;
  } else if (layout.type == real16) {
    static_cast<__half*>(matrix)[index] = __float2half_rn(value);
  } else {
    static_cast<__nv_bfloat16*>(matrix)[index] = __float2bfloat16_rn(value);
  }
}

int multiply(void*, void* descriptionPointer, const void* alpha, const void* a, void* layoutA, const void* b,
             void* layoutB, const void* beta, const void*, void*, void* d, void* layoutD, const void* algorithm, void*,
             std::size_t, cudaStream_t stream) {
  const Description description = *static_cast<Description*>(descriptionPointer);
  const Layout first = *static_cast<Layout*>(layoutA);
  const Layout second = *static_cast<Layout*>(layoutB);
  const Layout result = *static_cast<Layout*>(layoutD);
  std::uint64_t chosen = 0;
  std::memcpy(&chosen, algorithm, sizeof chosen);
  float factor = 0.0f;
  float added = 0.0f;
  std::memcpy(&factor, alpha, sizeof factor);
  std::memcpy(&added, beta, sizeof added);
  if (chosen != onlyAlgorithm || !fits(description, first, second, result)) return invalidValue;
  if (added != 0.0f) return notSupported;
  const float error = machine().cublasLt == CublasLtKind::wrong ? 1.5f : 1.0f;
  perform(stream, [=] {
    const DeviceAccess access;
    for (std::uint64_t column = 0; column < result.columns; ++column) {
      for (std::uint64_t row = 0; row < result.rows; ++row) {
        float sum = 0.0f;
        for (std::uint64_t inner = 0; inner < second.rows; ++inner) {
          const float left = description.transposesFirst ? elementOf(a, first, inner, row)
                                                         : elementOf(a, first, row, inner);
          sum += left * elementOf(b, second, inner, column);
        }
        setElement(d, result, row, column, error * factor * sum);
      }
    }
  });
  return success;
}

template <typename Function>
void* addressOf(Function function) {
  return reinterpret_cast<void*>(function);
}

}  // namespace

void* cublasLtFunction(const char* name) {
  const std::string_view wanted = name;
  if (wanted == "cublasLtCreate") return addressOf(createHandle);
  if (wanted == "cublasLtMatmulDescCreate") return addressOf(createDescription);
  if (wanted == "cublasLtMatmulDescDestroy") return addressOf(destroyDescription);
  if (wanted == "cublasLtMatmulDescSetAttribute") return addressOf(setDescription);
  if (wanted == "cublasLtMatrixLayoutCreate") return addressOf(createLayout);
  if (wanted == "cublasLtMatrixLayoutDestroy") return addressOf(destroyLayout);
  if (wanted == "cublasLtMatmulPreferenceCreate") return addressOf(createPreference);
  if (wanted == "cublasLtMatmulPreferenceDestroy") return addressOf(destroyPreference);
  if (wanted == "cublasLtMatmulPreferenceSetAttribute") return addressOf(setPreference);
  if (wanted == "cublasLtMatmulAlgoGetHeuristic") return addressOf(findAlgorithms);
  if (wanted == "cublasLtMatmul") return addressOf(multiply);
  return nullptr;
}

}  // namespace locret::emulation
