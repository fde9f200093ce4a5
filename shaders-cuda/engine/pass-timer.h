#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <vector>

#include "device/stream.h"

namespace locret {

/** Milliseconds of a pass on the device. */
struct PassTimes {
  double model;
  /** Part of `model`: the retaining heads. */
  double scoring;
  double eviction;
};

/** Events around the parts of a pass. */
class PassTimer {
 public:
  explicit PassTimer(std::int32_t layers)
      : scoringBegins_(static_cast<std::size_t>(layers)), scoringEnds_(static_cast<std::size_t>(layers)) {}

  void begin(cudaStream_t stream) {
    begin_.record(stream);
    scoredLayers_ = 0;
  }
  /** Layers are scored in ascending order. */
  void beginScoring(std::int32_t layer, cudaStream_t stream) {
    scoringBegins_[static_cast<std::size_t>(layer)].record(stream);
  }
  void endScoring(std::int32_t layer, cudaStream_t stream) {
    scoringEnds_[static_cast<std::size_t>(layer)].record(stream);
    scoredLayers_ = static_cast<std::size_t>(layer) + 1;
  }
  void endModel(cudaStream_t stream) { endModel_.record(stream); }
  void end(cudaStream_t stream) { end_.record(stream); }

  /** The stream must be done. */
  PassTimes times() const {
    PassTimes times{};
    times.model = static_cast<double>(endModel_.millisecondsSince(begin_));
    for (std::size_t layer = 0; layer < scoredLayers_; ++layer) {
      times.scoring += static_cast<double>(scoringEnds_[layer].millisecondsSince(scoringBegins_[layer]));
    }
    times.eviction = static_cast<double>(end_.millisecondsSince(endModel_));
    return times;
  }

 private:
  Event begin_;
  Event endModel_;
  Event end_;
  std::vector<Event> scoringBegins_;
  std::vector<Event> scoringEnds_;
  std::size_t scoredLayers_ = 0;
};

}  // namespace locret
