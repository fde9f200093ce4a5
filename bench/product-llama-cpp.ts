import { type ContextSequence, getLlama, LlamaLogLevel } from 'node-llama-cpp';
import { someTokens } from './contender.js';
import {
  type AskedRun,
  type Loaded,
  type ProductContender,
  type ProductRequest,
  RunClock,
  serveProduct,
} from './product-runs.js';

/** Room behind the units that stand before a question: for a prompt and an answer. */
const behind = 3072;
const chunk = 512;

/** llama.cpp through node-llama-cpp's prebuilt library, on the CPU, with flash attention. */
class LlamaCpp implements ProductContender {
  private sequence: ContextSequence | undefined;
  private units = 0;
  private vocabulary = 0;
  private round = 0;

  async load({
    model: modelPath,
    threads,
    units,
    vocabulary,
  }: Extract<ProductRequest, { kind: 'load' }>): Promise<Loaded> {
    const begun = performance.now();
    const llama = await getLlama({
      gpu: false,
      build: 'never',
      progressLogs: false,
      logLevel: LlamaLogLevel.error,
      maxThreads: threads,
    });
    const model = await llama.loadModel({ modelPath });
    const context = await model.createContext({
      contextSize: units + behind,
      batchSize: chunk,
      threads: { ideal: threads, min: threads },
      flashAttention: true,
      sequences: 1,
    });
    const loadSeconds = (performance.now() - begun) / 1000;
    this.sequence = context.getSequence();
    this.units = units;
    this.vocabulary = vocabulary;
    await this.sequence.evaluateWithoutGeneratingNewTokens(someTokens(units, 0, vocabulary));
    const versions = `llama.cpp ${llama.llamaCppRelease.release} (${llama.systemInfo.trim()})`;
    return { loadSeconds, units, vocabulary, versions };
  }

  async ask({
    promptTokens,
    answerTokens,
  }: Pick<Extract<ProductRequest, { kind: 'ask' }>, 'promptTokens' | 'answerTokens'>): Promise<AskedRun> {
    const { sequence } = this;
    if (sequence === undefined) throw new Error('asked before it was loaded');
    const clock = new RunClock();
    const prompt = someTokens(promptTokens, ++this.round, this.vocabulary);
    const tokens = sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true });
    let done = 0;
    while (done < answerTokens && (await tokens.next()).done !== true) {
      done += 1;
      clock.word();
    }
    const run = clock.end(promptTokens, done, 0);
    await tokens.return();
    await sequence.eraseContextTokenRanges([{ start: this.units, end: sequence.nextTokenIndex }]);
    return run;
  }

  decode(request: Extract<ProductRequest, { kind: 'decode' }>): Promise<AskedRun> {
    return this.ask(request);
  }
}

serveProduct(new LlamaCpp());
