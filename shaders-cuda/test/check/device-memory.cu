// Checks of device memory, streams and graphs.

#include "device/launch.cuh"
#include "device/stream.h"
#include "test/check/check.h"

namespace locret::check {

namespace {

__global__ void addOne(int* number) {
  if (threadIdx.x == 0) *number += 1;
}

void checkCounters(Report& report) {
  const AllocationCounters before = allocationCounters();
  resetAllocationPeak();
  {
    const DeviceBuffer first(1000, "the first buffer");
    DeviceBuffer second(513, "the second buffer");
    report.expect("bytes are counted in units of 512", allocationCounters().bytes == before.bytes + 1024 + 1024);
    second = DeviceBuffer();
    report.expect("a buffer that is replaced is freed", allocationCounters().bytes == before.bytes + 1024);
  }
  report.expect("what ends is freed", allocationCounters().bytes == before.bytes);
  report.expect("the peak stays", allocationCounters().peakBytes == before.bytes + 2048);
  for (int cycle = 0; cycle < 1000; ++cycle) const DeviceBuffer buffer(1 << 16, "one of a thousand");
  report.expect("1,000 buffers later nothing is held", allocationCounters().buffers == before.buffers);
}

void checkOutOfMemory(Report& report) {
  std::size_t free = 0;
  std::size_t total = 0;
  checkCuda(cudaMemGetInfo(&free, &total), "Reading the device's memory");
  report.expectError("more than the device has", "out-of-memory",
                     [&] { const DeviceBuffer buffer(total + 1, "more than there is"); });
  const DeviceBuffer after(1 << 20, "a megabyte");
  report.expect("after that there is memory as before", static_cast<bool>(after));
}

void checkGraph(Report& report) {
  const Stream stream;
  const DeviceArray<int> number(std::vector<int>{40});
  const auto addTwice = [&] {
    launch(addOne, 1, 32, 0, cudaStream_t{stream}, number.data());
    launch(addOne, 1, 32, 0, cudaStream_t{stream}, number.data());
  };
  const Graph graph = Graph::capture(stream, addTwice);
  report.same("recording does nothing", number.download(), {40});
  graph.launch(stream);
  graph.launch(stream);
  report.same("two launches of two kernels", number.download(), {44});
  report.expectError("a failure while recording", "invalid-argument", [&] {
    const Graph failed = Graph::capture(stream, [] { throw Error("invalid-argument", "This is wrong."); });
  });
  addTwice();
  report.same("after it the stream works as before", number.download(), {46});
}

const Registration counters{"device/allocation-counters", checkCounters};
const Registration outOfMemory{"device/out-of-memory", checkOutOfMemory};
const Registration graphs{"device/graphs", checkGraph};

}  // namespace

}  // namespace locret::check
