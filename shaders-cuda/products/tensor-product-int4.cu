#include "products/tensor-kernel.cuh"

namespace locret {

template void multiplyTensorsOf<NumberFormat::int4>(const Product&, TileSize, cudaStream_t);

}  // namespace locret
