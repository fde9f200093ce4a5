#include "engine/attention-record.h"

#include <algorithm>

#include "device/error.h"

namespace locret {

std::size_t AttentionRecord::sumCount() const {
  return static_cast<std::size_t>(sizes_.model.layers) * static_cast<std::size_t>(sizes_.model.kvHeads) *
         static_cast<std::size_t>(sizes_.cache.capacity);
}

void AttentionRecord::start(std::int32_t reach, cudaStream_t stream) {
  reach_ = reach;
  queries_ = 0;
  isOnDevice_ = false;
  mass_.clear();
  checkCuda(cudaMemsetAsync(memory_.work.attentionSums, 0, sumCount() * sizeof(float), stream),
            "Clearing observed attention");
}

void AttentionRecord::forget(cudaStream_t stream) {
  if (queries_ > 0) start(reach_, stream);
}

void AttentionRecord::collect(std::int32_t length, cudaStream_t stream) {
  if (!isOnDevice_) return;
  isOnDevice_ = false;
  const auto units = static_cast<std::size_t>(length);
  const auto capacity = static_cast<std::size_t>(sizes_.cache.capacity);
  const std::size_t heads = sumCount() / capacity;
  std::vector<float> sums(heads * units);
  std::vector<std::int32_t> tokens(heads * units);
  checkCuda(cudaMemcpy2DAsync(sums.data(), units * sizeof(float), memory_.work.attentionSums,
                              capacity * sizeof(float), units * sizeof(float), heads, cudaMemcpyDeviceToHost, stream),
            "Copying observed attention");
  checkCuda(cudaMemcpy2DAsync(tokens.data(), units * sizeof(std::int32_t), memory_.cache.tokenIndices(),
                              capacity * sizeof(std::int32_t), units * sizeof(std::int32_t), heads,
                              cudaMemcpyDeviceToHost, stream),
            "Copying token indices");
  checkCuda(cudaMemsetAsync(memory_.work.attentionSums, 0, sumCount() * sizeof(float), stream),
            "Clearing observed attention");
  checkCuda(cudaStreamSynchronize(stream), "Copying observed attention");
  const std::int32_t last = *std::max_element(tokens.begin(), tokens.end());
  if (mass_.size() <= static_cast<std::size_t>(last)) mass_.resize(static_cast<std::size_t>(last) + 1);
  for (std::size_t unit = 0; unit < sums.size(); ++unit) {
    mass_[static_cast<std::size_t>(tokens[unit])] += static_cast<double>(sums[unit]);
  }
}

std::int32_t AttentionRecord::take(double* mass, std::int32_t tokens) {
  expect(mass_.size() <= static_cast<std::size_t>(tokens),
         "Attention was observed up to token " + std::to_string(mass_.size()) + "; there is room for " +
             std::to_string(tokens) + ".");
  for (std::size_t token = 0; token < mass_.size(); ++token) mass[token] += mass_[token];
  mass_.clear();
  const std::int32_t queries = queries_;
  queries_ = 0;
  return queries;
}

}  // namespace locret
