#include "products/tensor-kernel.cuh"

namespace locret {

template void multiplyTensorsOf<NumberFormat::bfloat16>(const Product&, TileSize, cudaStream_t);

}  // namespace locret
