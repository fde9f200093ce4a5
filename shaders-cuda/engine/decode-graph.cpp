#include "engine/decode-graph.h"

#include "device/error.h"
#include "layers/choose-highest.h"

namespace locret {

void DecodeGraph::run(bool observes, bool limitedReach, cudaStream_t stream) const {
  checkCuda(cudaMemcpyAsync(memory_.work.state, hostState_, sizeof(PassState), cudaMemcpyHostToDevice, stream),
            "Copying a step's state");
  layers_.runStep({.observeFrom = observes ? 0 : 1, .limitedReach = limitedReach, .addsBonuses = false}, stream);
  layers_.runLanguageHead(0, 1, stream);
  chooseHighest({.logits = memory_.logits.values,
                 .rows = 1,
                 .vocabulary = vocabulary_,
                 .chosen = memory_.logits.chosen,
                 .scratch = memory_.logits.chooseScratch},
                stream);
}

void DecodeGraph::launch(bool observes, bool limitedReach, cudaStream_t stream) {
  Kind& kind = !observes ? plain_ : limitedReach ? observingLimited_ : observing_;
  if (!kind.hasRun) {
    run(observes, limitedReach, stream);
    kind.hasRun = true;
    return;
  }
  if (!kind.graph) kind.graph = Graph::capture(stream, [&] { run(observes, limitedReach, stream); });
  kind.graph.launch(stream);
}

}  // namespace locret
