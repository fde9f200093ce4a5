#pragma once

namespace locret::emulation {

/**
 * A function of cublasLt as it is documented, in plain loops: what products/cublaslt.cpp would find in the library. Null
 * for other names. Matrices are column-major; only what that file uses is there, and anything else is refused.
 */
void* cublasLtFunction(const char* name);

}  // namespace locret::emulation
