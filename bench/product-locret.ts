import { askMemory } from '../server/answer/ask.js';
import type { Engine } from '../server/engine/engine.js';
import { MemoryOpening, type MemorySettings } from '../server/memory/open-memory.js';
import type { ReadMemory } from '../server/memory/contents/repository-memory.js';
import { loadEngine } from '../server/memory/load-engine.js';
import { planModel, type PlannedModel } from '../server/memory/planning/planned-model.js';
import type { Definition } from '../server/repository/source.js';
import {
  type AskedRun,
  type Loaded,
  type ProductContender,
  type ProductRequest,
  RunClock,
  serveProduct,
} from './product-runs.js';
import { someTokens } from './contender.js';

const cacheFolder = '.cache/bench/product';
/** Of the product's own sources, so much as is read in minutes. */
const repository = { repo: '.', include: ['server/answer/', 'server/repository/'] };
const sizes = { budget: 2048, chunk: 512, stabilizers: 512 };
const greedy = { temperature: 0, topP: 1, topK: 0, minP: 0, repetitionPenalty: 1, seed: 0 };
const namedDefinitions = 6;

/** Names the longest functions and classes, so that there is enough to re-read. */
function questionAbout(definitions: readonly Definition[]): string {
  const uses = new Map<string, number>();
  for (const { name } of definitions) uses.set(name, (uses.get(name) ?? 0) + 1);
  const names = definitions
    .filter(({ name, kind }) => (kind === 'function' || kind === 'class') && uses.get(name) === 1)
    .sort((a, b) => b.endLine - b.line - (a.endLine - a.line))
    .slice(0, namedDefinitions)
    .map(({ name }) => `\`${name}\``);
  return `How do ${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''} work together?`;
}

const notice = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

/** The product: a memory of its own sources, restored from its snapshot, and the question as the terminal asks it. */
class Locret implements ProductContender {
  private opened: { readonly memory: ReadMemory; readonly engine: Engine } | undefined;

  async load({ model, bits, threads }: Extract<ProductRequest, { kind: 'load' }>): Promise<Loaded> {
    const settings: MemorySettings = {
      repo: repository.repo,
      model,
      survey: { maxFileBytes: 1 << 20, exclude: [], include: repository.include },
      cacheFolder,
      threads,
      precision: bits,
      backend: 'cpu',
      ...sizes,
    };
    const planned = await planModel(settings);
    // The first time weights are packed, and the repository is read.
    const first = await this.open(planned, settings);
    await first.engine.dispose();
    const again = await this.open(planned, settings);
    this.opened = again;
    const { memory, engine, loadSeconds, restoreSeconds } = again;
    return {
      firstLoadSeconds: first.loadSeconds,
      loadSeconds,
      restoreSeconds,
      units: (await engine.stats()).length,
      vocabulary: engine.description.shape.vocabulary,
      versions: `${memory.tokensRead} tokens of ${repository.include.join(' and ')} in the memory`,
    };
  }

  private async open(planned: PlannedModel, settings: MemorySettings) {
    const begun = performance.now();
    const engine = await loadEngine(planned, cacheFolder, notice);
    const loaded = performance.now();
    const memory = await new MemoryOpening(planned, engine, settings).open({}, { onNotice: notice });
    const seconds = { loadSeconds: (loaded - begun) / 1000, restoreSeconds: (performance.now() - loaded) / 1000 };
    return { memory, engine, ...seconds };
  }

  private get ready(): { readonly memory: ReadMemory; readonly engine: Engine } {
    if (this.opened === undefined) throw new Error('asked before it was loaded');
    return this.opened;
  }

  async ask({ recall, answerTokens }: Extract<ProductRequest, { kind: 'ask' }>): Promise<AskedRun> {
    const { memory, engine } = this.ready;
    const before = (await engine.stats()).seconds.model;
    let modelSeconds = 0;
    const clock = new RunClock();
    const { timings } = await askMemory(memory, {
      question: questionAbout(memory.definitions),
      recallTokens: recall,
      maxTokens: answerTokens,
      onText: () => {
        clock.word();
      },
    });
    modelSeconds = (await engine.stats()).seconds.model - before;
    return clock.end(timings.promptTokens, timings.answerTokens, modelSeconds);
  }

  async decode({ promptTokens, answerTokens }: Extract<ProductRequest, { kind: 'decode' }>): Promise<AskedRun> {
    const { engine } = this.ready;
    const mark = await engine.mark();
    const before = (await engine.stats()).seconds.model;
    const clock = new RunClock();
    await engine.extend(someTokens(promptTokens, 0, engine.description.shape.vocabulary), { evict: 'none' });
    clock.word();
    const { tokens } = await engine.generate({ maxTokens: answerTokens, sampling: greedy, stopTokens: [] });
    const modelSeconds = (await engine.stats()).seconds.model - before;
    const run = clock.end(promptTokens, tokens.length, modelSeconds);
    await engine.rewind(mark);
    return run;
  }
}

serveProduct(new Locret());
