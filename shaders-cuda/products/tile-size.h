#pragma once

namespace locret {

/** Tokens × rows of the output that a block computes: 128 × 256, 128 × 128, 64 × 64. */
enum class TileSize { large, middle, small };

struct TileShape {
  int tokens;
  int rows;
  /** Outputs per time of a busy multiprocessor, relative to the large tile: an estimate. */
  double speed;
};

constexpr TileShape shapeOf(TileSize size) {
  switch (size) {
    case TileSize::large:
      return {128, 256, 1.0};
    case TileSize::middle:
      return {128, 128, 0.9};
    case TileSize::small:
      break;
  }
  return {64, 64, 0.6};
}

}  // namespace locret
