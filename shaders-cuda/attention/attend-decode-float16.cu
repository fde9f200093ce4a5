#include "attention/attend-decode-tensor.cuh"

namespace locret {

void attendDecodeFloat16(const DecodeAttention& decode, cudaStream_t stream) {
  launchAttendDecode<__half>(decode, stream);
}

}  // namespace locret
