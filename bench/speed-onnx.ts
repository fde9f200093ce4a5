import type { Engine, EngineOptions } from '../server/engine/engine.js';
import { openEngine } from '../server/engine/remote-engine.js';
import { type Contender, type Measure, serveContender, someTokens } from './contender.js';
import { ensureRandomCheckpoint } from './random-checkpoint.js';
import { type BenchShape, parseBits, shapeByName } from './shapes.js';

const greedy = { temperature: 0, topP: 1, topK: 0, minP: 0, repetitionPenalty: 1, seed: 0 };

/** The onnx engine as the product runs it: in its worker, with retaining heads and eviction. */
class OnnxEngine implements Contender {
  private options: Omit<EngineOptions, 'plan'> | undefined;
  private shape: BenchShape | undefined;
  private engine: Engine | undefined;
  private round = 0;

  async load(shapeName: string, bitsName: string, threads: number): Promise<string> {
    this.shape = shapeByName(shapeName);
    const checkpoint = await ensureRandomCheckpoint('.cache/bench/models', this.shape);
    this.options = {
      ...checkpoint,
      policy: 'locret',
      precision: parseBits(bitsName),
      threads,
      cacheFolder: '.cache/bench/packed',
    };
    return '';
  }

  async fill(cache: number, chunk: number): Promise<void> {
    await this.engine?.dispose();
    if (this.options === undefined) throw new Error('fill before load');
    const plan = { budget: cache, chunk, stabilizers: cache >> 3, pinned: 0, capacity: cache + chunk };
    this.engine = await openEngine({ ...this.options, plan });
    await this.engine.extend(this.tokens(cache), { evict: 'none' });
  }

  async prefill(measure: Measure): Promise<number> {
    const tokens = this.tokens(this.engine?.description.plan.chunk ?? 0);
    await measure(async () => {
      await this.engine?.extend(tokens, { evict: 'between-chunks' });
    });
    return tokens.length;
  }

  async decode(runs: number, measure: Measure): Promise<number> {
    const { engine } = this;
    if (engine === undefined) throw new Error('decode before fill');
    const mark = await engine.mark();
    await engine.extend(this.tokens(1), { evict: 'none', logits: 'last' });
    let generated = 0;
    await measure(async () => {
      // The first token comes from logits that are there already: one run less than tokens.
      const { tokens } = await engine.generate({ maxTokens: runs + 1, sampling: greedy, stopTokens: [] });
      generated = tokens.length;
    });
    await engine.rewind(mark);
    return generated - 1;
  }

  private tokens(count: number): number[] {
    return someTokens(count, ++this.round, this.shape?.vocabulary ?? 0);
  }
}

serveContender(new OnnxEngine());
