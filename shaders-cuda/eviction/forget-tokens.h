#pragma once

#include <cuda_runtime.h>

#include "device/types.h"

namespace locret {

/*
 * Forgetting drops the units of some tokens; what it decides is what forgetTokens in server/engine/evict-units.ts
 * decides. All KV heads of all layers stay equally long, so each gives up as many units as the one that holds most of
 * them. countForgotten, over all layers, finds that number; with b = length - most > 0 each layer is then ranked by the
 * policy, lowered by lowerForgotten, selected with budget b, no stabilizers, and the pinned units only if they are not
 * more than b and none of them is forgotten, and compacted.
 */

/**
 * Counts the units of each KV head whose tokens are forgotten: `most` becomes the largest count, `pinnedForgotten` 1
 * when one of the first `pinned` units of a head is among them. Reads kvHeads · count · 4 bytes.
 * @throws Error invalid-argument when a size is not positive
 */
void countForgotten(const CountForgotten& counting, cudaStream_t stream);

/**
 * Copies ranks, those of forgotten tokens' units as minus infinity: they are the first to go.
 * Reads kvHeads · count · 8 bytes, writes half of it.
 * @throws Error invalid-argument when a size is not positive
 */
void lowerForgotten(const LowerForgotten& lowering, cudaStream_t stream);

}  // namespace locret
