#include "bench/bench.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>

#include "device/error.h"

namespace locret::bench {

namespace {

constexpr std::size_t flushedBytes = std::size_t{256} << 20;
constexpr double enoughMilliseconds = 200;
constexpr int fewestRuns = 5;
constexpr int mostRuns = 200;

std::map<std::string, std::function<void(Bench&)>>& registered() {
  static std::map<std::string, std::function<void(Bench&)>> benches;
  return benches;
}

int attribute(cudaDeviceAttr which) {
  int device = 0;
  checkCuda(cudaGetDevice(&device), "Looking for a CUDA device");
  int value = 0;
  checkCuda(cudaDeviceGetAttribute(&value, which, device), "Reading a property of the device");
  return value;
}

// FLOPs per cycle and multiprocessor: NVIDIA's architecture white papers. Of 8.6, 8.9 and 12.0 the GeForce figure, with
// float32 accumulation at half the rate; professional cards have twice that.
int tensorFlopsPerCycle(int major, int minor) {
  if (major == 8 && minor == 0) return 2048;
  if (major == 8 || major == 12) return 512;
  if (major == 9) return 4096;
  if (major == 10) return 8192;
  return 0;
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char character : text) {
    if (character == '"' || character == '\\') result += '\\';
    result += character;
  }
  return result + "\"";
}

std::string number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

}  // namespace

Peaks devicePeaks() {
  const double memoryKilohertz = attribute(cudaDevAttrMemoryClockRate);
  const double busBits = attribute(cudaDevAttrGlobalMemoryBusWidth);
  const double kilohertz = attribute(cudaDevAttrClockRate);
  const double multiprocessors = attribute(cudaDevAttrMultiProcessorCount);
  const int perCycle =
      tensorFlopsPerCycle(attribute(cudaDevAttrComputeCapabilityMajor), attribute(cudaDevAttrComputeCapabilityMinor));
  // Two transfers per memory cycle.
  return {2e3 * memoryKilohertz * busBits / 8, 1e3 * kilohertz * multiprocessors * perCycle};
}

Bench::Bench(Peaks peaks) : peaks_(peaks), flushed_(flushedBytes, "what empties the cache between runs") {}

void Bench::begin(const std::string& name) { name_ = name; }

void Bench::measure(const std::string& sizes, Work work, const std::function<void(cudaStream_t)>& enqueue) {
  const Event begin;
  const Event end;
  // Loads the kernel.
  enqueue(stream_);
  stream_.synchronize();
  std::vector<double> milliseconds;
  double total = 0;
  while (static_cast<int>(milliseconds.size()) < fewestRuns ||
         (total < enoughMilliseconds && static_cast<int>(milliseconds.size()) < mostRuns)) {
    checkCuda(cudaMemsetAsync(flushed_.data(), 0, flushedBytes, stream_), "Emptying the cache");
    begin.record(stream_);
    enqueue(stream_);
    end.record(stream_);
    end.synchronize();
    milliseconds.push_back(end.millisecondsSince(begin));
    total += milliseconds.back();
  }
  add(sizes, work, std::move(milliseconds));
}

void Bench::add(const std::string& sizes, Work work, std::vector<double> milliseconds, std::size_t peakBytes) {
  expect(!milliseconds.empty(), "A measurement has no runs.");
  std::sort(milliseconds.begin(), milliseconds.end());
  const Measurement measured{name_,
                             sizes,
                             work,
                             milliseconds.front(),
                             milliseconds[milliseconds.size() / 2],
                             static_cast<int>(milliseconds.size()),
                             peakBytes};
  const double seconds = measured.medianMilliseconds / 1e3;
  std::printf("%-26s | %-44s | %10.4f | %10.4f", name_.c_str(), sizes.c_str(), measured.fastestMilliseconds,
              measured.medianMilliseconds);
  if (work.bytes > 0) {
    std::printf(" | %7.1f GB/s %5.1f %%", work.bytes / seconds / 1e9, 100 * work.bytes / seconds / peaks_.bandwidth);
  }
  if (work.flops > 0) {
    std::printf(" | %7.1f TFLOP/s", work.flops / seconds / 1e12);
    if (peaks_.flops > 0) std::printf(" %5.1f %%", 100 * work.flops / seconds / peaks_.flops);
  }
  if (work.tokens > 0) std::printf(" | %.0f tokens/s", work.tokens / seconds);
  if (peakBytes > 0) std::printf(" | at most %.2f GB", static_cast<double>(peakBytes) / 1e9);
  std::printf("\n");
  std::fflush(stdout);
  measurements_.push_back(measured);
}

Registration::Registration(std::string name, std::function<void(Bench&)> run) {
  registered().emplace(std::move(name), std::move(run));
}

bool runAll(const std::string& only, Bench& bench) {
  std::printf("%-26s | %-44s | %10s | %10s | of the median: memory, tensor cores\n", "bench", "sizes", "fastest ms",
              "median ms");
  bool any = false;
  for (const auto& [name, run] : registered()) {
    if (name.find(only) == std::string::npos) continue;
    any = true;
    bench.begin(name);
    run(bench);
  }
  return any;
}

std::string toJson(const std::string& device, const Peaks& peaks, const std::vector<Measurement>& measurements) {
  std::string json = "{\n  \"device\": " + quoted(device) + ",\n  \"peakBytesPerSecond\": " + number(peaks.bandwidth) +
                     ",\n  \"peakFlopsPerSecond\": " + number(peaks.flops) + ",\n  \"measurements\": [";
  const char* separator = "\n";
  for (const Measurement& measured : measurements) {
    json += separator;
    json += "    { \"name\": " + quoted(measured.name) + ", \"sizes\": " + quoted(measured.sizes) +
            ", \"bytes\": " + number(measured.work.bytes) + ", \"flops\": " + number(measured.work.flops) +
            ", \"fastestMilliseconds\": " + number(measured.fastestMilliseconds) +
            ", \"medianMilliseconds\": " + number(measured.medianMilliseconds) +
            ", \"runs\": " + std::to_string(measured.runs) + ", \"tokens\": " + number(measured.work.tokens) +
            ", \"peakBytes\": " + std::to_string(measured.peakBytes) + " }";
    separator = ",\n";
  }
  return json + "\n  ]\n}\n";
}

}  // namespace locret::bench
