import { createOnnxEngine } from '../server/engine/onnx-engine.js';
import type { Engine } from '../server/engine/engine.js';
import { packedWeightsFolder } from '../server/memory/cache-files.js';
import type { PlannedModel } from '../server/memory/planned-model.js';
import type { EvictionPolicy } from '../server/memory/policies/policy.js';
import { policyByName } from '../server/memory/policies/policy-by-name.js';
import type { ReadMemory } from '../server/memory/repository-memory.js';
import { lineTokens } from './line-tokens.js';

/** What stays before anything else: the paths of files, or also the lines that name definitions. */
export type Structure = 'headers' | 'definitions';

/** More than scores differ by. */
const bonus = 1e6;

/**
 * Structural stabilizers: units of the tokens by which one finds one's way outrank all others, as far as the budget goes;
 * what remains of it goes by the policy's own ranks.
 */
export class StructuralStabilizers {
  private tokens = new Set<number>();

  constructor(private readonly structure: Structure) {}

  /** An engine on this thread that evicts by the planned policy with these stabilizers. */
  openEngine({ model, plan }: PlannedModel, cacheFolder: string): Promise<Engine> {
    const { heads, policy, precision, threads, cache } = plan;
    return createOnnxEngine(
      {
        model: model.folder,
        policy,
        precision,
        plan: cache,
        threads,
        cacheFolder: packedWeightsFolder(cacheFolder, model.folder),
        ...(heads === undefined ? {} : { heads }),
      },
      this.over(policyByName(policy)),
    );
  }

  /** Takes down where the structure of a repository stands; it is the same whenever it is read. */
  learn({ content, definitions }: ReadMemory): void {
    const files = new Map(content.map.files.map((map) => [map.file.path, map]));
    const ranges = [...files.values()].map((map) => ({ begin: map.begin, end: lineTokens(map, 1).begin }));
    if (this.structure === 'definitions') {
      for (const { path, nameLine } of definitions) {
        const map = files.get(path);
        if (map !== undefined) ranges.push(lineTokens(map, nameLine));
      }
    }
    this.tokens = new Set(ranges.flatMap(({ begin, end }) => Array.from({ length: end - begin }, (_, i) => begin + i)));
  }

  private over(policy: EvictionPolicy): EvictionPolicy {
    return {
      ...policy,
      rank: (view) =>
        policy.rank(view).map((rank, unit) => (this.tokens.has(view.tokenIndices[unit] ?? -1) ? rank + bonus : rank)),
    };
  }
}
