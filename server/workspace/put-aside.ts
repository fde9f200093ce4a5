import type { Engine, LayerCache } from '../engine/engine.js';

/** Layers one by one, as the engine wants them back. */
async function* oneByOne(layers: readonly LayerCache[]): AsyncGenerator<LayerCache> {
  for (const layer of layers) yield await Promise.resolve(layer);
}

/** Copies what an engine's cache holds out of it; returns what puts it back. */
export async function putAside(engine: Engine): Promise<() => Promise<void>> {
  const { nextTokenIndex } = await engine.stats();
  const layers: LayerCache[] = [];
  for (const layer of engine.description.shape.layers.keys()) layers.push(await engine.exportLayer(layer));
  return () => engine.importLayers(oneByOne(layers), nextTokenIndex);
}
