import type { EvictionPolicy } from '../../server/eviction/policy.js';
import type { ReadMemory } from '../../server/memory/contents/repository-memory.js';
import { tokensOfLine } from '../../server/memory/contents/source-map.js';

/** More than ranks differ by. */
const bonus = 1e6;

/**
 * The product's structure (file headers and the lines that name definitions stay before all else) for policies that it has
 * none for, to tell what they do without retaining heads.
 */
export class Structure {
  private tokens = new Set<number>();

  /** Takes down where the structure of a repository stands; it is the same whenever it is read. */
  learn({ content, definitions }: ReadMemory): void {
    const files = new Map(content.map.files.map((map) => [map.file.path, map]));
    const headers = [...files.values()].map((map) => ({ map, begin: 0, end: tokensOfLine(map, 1).begin }));
    const names = definitions.flatMap(({ path, nameLine }) => {
      const map = files.get(path);
      return map === undefined ? [] : [{ map, ...tokensOfLine(map, nameLine) }];
    });
    this.tokens = new Set(
      [...headers, ...names].flatMap(({ map, begin, end }) =>
        Array.from({ length: end - begin }, (_, i) => map.begin + begin + i),
      ),
    );
  }

  /** A policy that keeps the units of the structure before those that it ranks highest itself. */
  before(policy: EvictionPolicy): EvictionPolicy {
    return {
      ...policy,
      rank: (view) =>
        policy.rank(view).map((rank, unit) => (this.tokens.has(view.tokenIndices[unit] ?? -1) ? rank + bonus : rank)),
    };
  }
}
