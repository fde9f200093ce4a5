#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <cuda_runtime.h>

#include "device/device-memory.h"
#include "device/stream.h"

namespace locret::bench {

/** What a kernel must do at least; figures are shares of the device's peaks. */
struct Work {
  /** Read from and written to device memory. */
  double bytes = 0;
  /** Multiplications and additions on tensor cores, 16-bit with float32 accumulation. */
  double flops = 0;
  /** Tokens that are read or generated, where that is what is measured. */
  double tokens = 0;
};

/** One measured case. */
struct Measurement {
  std::string name;
  std::string sizes;
  Work work;
  double fastestMilliseconds;
  double medianMilliseconds;
  int runs;
  /** Most bytes of device memory that were allocated, where they were counted. */
  std::size_t peakBytes;
};

/** The device's limits, from its clocks and sizes as the driver tells them. */
struct Peaks {
  /** Bytes per second of device memory. */
  double bandwidth;
  /** 16-bit tensor core FLOPs per second, with float32 accumulation, without sparsity; 0 when unknown. */
  double flops;
};

/** Of the current device. Throws Error when there is none. */
Peaks devicePeaks();

/** Measures one case after the other and prints a row for each. */
class Bench {
 public:
  explicit Bench(Peaks peaks);

  /**
   * Measures what `enqueue(stream)` puts on the stream, by events, at least five times and for some two tenths of a
   * second. The level-2 cache is emptied before each run, as it is when a whole model runs.
   */
  void measure(const std::string& sizes, Work work, const std::function<void(cudaStream_t)>& enqueue);

  /**
   * Adds something that was measured otherwise, in milliseconds: a whole pass, for instance.
   * @param peakBytes of device memory, counted by its allocator; 0: not counted
   */
  void add(const std::string& sizes, Work work, std::vector<double> milliseconds, std::size_t peakBytes = 0);

  /** The name under which the following rows go. */
  void begin(const std::string& name);

  const std::vector<Measurement>& measurements() const { return measurements_; }

 private:
  Peaks peaks_;
  std::string name_;
  Stream stream_;
  DeviceBuffer flushed_;
  std::vector<Measurement> measurements_;
};

/** A benchmark that registers itself: `const Registration products{"products/decode", [](Bench& bench) { … }};` */
struct Registration {
  Registration(std::string name, std::function<void(Bench&)> run);
};

/** Runs the benchmarks whose names contain `only`, in the order of their names; false when there is none. */
bool runAll(const std::string& only, Bench& bench);

/** Measurements with the device's name, as JSON. */
std::string toJson(const std::string& device, const Peaks& peaks, const std::vector<Measurement>& measurements);

}  // namespace locret::bench
