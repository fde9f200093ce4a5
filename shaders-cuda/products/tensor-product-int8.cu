#include "products/tensor-kernel.cuh"

namespace locret {

template void multiplyTensorsOf<NumberFormat::int8>(const Product&, TileSize, cudaStream_t);

}  // namespace locret
