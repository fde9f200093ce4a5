#include "products/tensor-kernel.cuh"

namespace locret {

template void multiplyTensorsOf<NumberFormat::float16>(const Product&, TileSize, cudaStream_t);

}  // namespace locret
