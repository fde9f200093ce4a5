/** The part of node-llama-cpp that bench/speed-llama-cpp.ts and bench/product-llama-cpp.ts use; the package is installed only for the benchmark. */
declare module 'node-llama-cpp' {
  export interface ContextSequence {
    readonly nextTokenIndex: number;
    evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>;
    evaluate(
      tokens: readonly number[],
      options: { readonly temperature: number; readonly yieldEogToken: boolean },
    ): AsyncGenerator<number, void>;
    eraseContextTokenRanges(ranges: readonly { readonly start: number; readonly end: number }[]): Promise<void>;
  }

  export interface LlamaContext {
    getSequence(): ContextSequence;
    dispose(): Promise<void>;
  }

  export interface LlamaModel {
    createContext(options: {
      readonly contextSize: number;
      readonly batchSize: number;
      readonly threads: { readonly ideal: number; readonly min: number };
      readonly flashAttention: boolean;
      readonly sequences: number;
    }): Promise<LlamaContext>;
  }

  export interface Llama {
    readonly llamaCppRelease: { readonly repo: string; readonly release: string };
    readonly systemInfo: string;
    loadModel(options: { readonly modelPath: string }): Promise<LlamaModel>;
  }

  export enum LlamaLogLevel {
    error = 'error',
  }

  export function getLlama(options: {
    readonly gpu: false;
    readonly build: 'never';
    readonly progressLogs: boolean;
    readonly logLevel: LlamaLogLevel;
    readonly maxThreads: number;
  }): Promise<Llama>;
}
