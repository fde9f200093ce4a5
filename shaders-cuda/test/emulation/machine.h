#pragma once

namespace locret::emulation {

/** Whether cublasLt is installed; `wrong`: it is, and its products are off. */
enum class CublasLtKind { none, right, wrong };

/** What the emulated machine has: a driver and its devices, all alike, which share one memory. */
struct Machine {
  /** 1000 · major + 10 · minor of the CUDA version that the driver can; 0: no driver is installed. */
  int driverVersion = 13'000;
  int devices = 1;
  CublasLtKind cublasLt = CublasLtKind::none;
};

/** What code of this library was built with, as CUDA counts. */
inline constexpr int emulatedRuntimeVersion = 13'000;

/** The machine, to be looked at and to be changed. */
Machine& machine();

}  // namespace locret::emulation
