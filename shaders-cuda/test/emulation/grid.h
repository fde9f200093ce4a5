#pragma once

#include "test/emulation/block.h"

namespace locret::emulation {

/** Runs all blocks of a launch, on as many threads as the processor has, and returns when they are done. */
void runGrid(const Launch& launch);

/** The order of threads within blocks from now on; shuffled unless set. */
void setThreadOrder(ThreadOrder order);

/** The order that is set. */
ThreadOrder threadOrder();

}  // namespace locret::emulation
