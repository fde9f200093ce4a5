import { mkdir } from 'node:fs/promises';
import {
  type ContextSequence,
  getLlama,
  type Llama,
  type LlamaContext,
  LlamaLogLevel,
  type LlamaModel,
} from 'node-llama-cpp';
import { type Contender, type Measure, serveContender, someTokens } from './contender.js';
import { ensureRandomGguf } from './random-gguf.js';
import { parseBits, shapeByName } from './shapes.js';

const folder = '.cache/bench/models';

/** llama.cpp through node-llama-cpp's prebuilt library, on the CPU, with flash attention. */
class LlamaCpp implements Contender {
  private context: LlamaContext | undefined;
  private cache = 0;
  private chunk = 0;
  private round = 0;
  private vocabulary = 0;
  private threads = 0;
  private loaded: { readonly llama: Llama; readonly model: LlamaModel } | undefined;
  private sequence: ContextSequence | undefined;

  async load(shapeName: string, bitsName: string, threads: number): Promise<string> {
    const shape = shapeByName(shapeName);
    const bits = parseBits(bitsName);
    await mkdir(folder, { recursive: true });
    const modelPath = `${folder}/${shape.name}-${bits}.gguf`;
    await ensureRandomGguf(modelPath, shape, bits);
    const llama = await getLlama({
      gpu: false,
      build: 'never',
      progressLogs: false,
      logLevel: LlamaLogLevel.error,
      maxThreads: threads,
    });
    this.loaded = { llama, model: await llama.loadModel({ modelPath }) };
    this.vocabulary = shape.vocabulary;
    this.threads = threads;
    return `llama.cpp ${llama.llamaCppRelease.release} (${llama.systemInfo.trim()})`;
  }

  async fill(cache: number, chunk: number): Promise<void> {
    await this.context?.dispose();
    this.context = await this.loaded?.model.createContext({
      contextSize: cache + chunk + 256,
      batchSize: chunk,
      threads: { ideal: this.threads, min: this.threads },
      flashAttention: true,
      sequences: 1,
    });
    this.sequence = this.context?.getSequence();
    this.cache = cache;
    this.chunk = chunk;
    await this.sequence?.evaluateWithoutGeneratingNewTokens(someTokens(cache, 0, this.vocabulary));
  }

  async prefill(measure: Measure): Promise<number> {
    const tokens = someTokens(this.chunk, ++this.round, this.vocabulary);
    await measure(async () => this.sequence?.evaluateWithoutGeneratingNewTokens(tokens));
    await this.takeBack();
    return tokens.length;
  }

  async decode(runs: number, measure: Measure): Promise<number> {
    let done = 0;
    const generate = async (): Promise<void> => {
      const options = { temperature: 0, yieldEogToken: true };
      const tokens = this.sequence?.evaluate(someTokens(1, ++this.round, this.vocabulary), options);
      // One run for each token that comes out.
      while (done < runs && (await tokens?.next())?.done === false) done++;
      await tokens?.return();
    };
    await measure(generate);
    await this.takeBack();
    return done;
  }

  private async takeBack(): Promise<void> {
    const end = this.sequence?.nextTokenIndex ?? 0;
    if (end > this.cache) await this.sequence?.eraseContextTokenRanges([{ start: this.cache, end }]);
  }
}

serveContender(new LlamaCpp());
