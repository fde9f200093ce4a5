#include "attention/attend-decode-tensor.cuh"

namespace locret {

void attendDecodeBfloat16(const DecodeAttention& decode, cudaStream_t stream) {
  launchAttendDecode<__nv_bfloat16>(decode, stream);
}

}  // namespace locret
