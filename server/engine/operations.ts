import type { ChunkReport, Engine, ExtendOptions, GenerateOptions, LayerCache } from './engine.js';

/** What an engine can be told to do; all but its description. */
export type EngineMethod = Exclude<keyof Engine, 'description'>;
export type Arguments<M extends EngineMethod> = Parameters<Engine[M]>;
export type Result<M extends EngineMethod> = Awaited<ReturnType<Engine[M]>>;

/** The operations of an engine, one by one. */
export type EngineCalls = { readonly [M in EngineMethod]: (...given: Arguments<M>) => Promise<Result<M>> };

/** What of a call stays on the caller's side: who is told while it runs, what it is fed with, and what ends it. */
export interface CallListeners {
  readonly onChunk?: ((report: ChunkReport) => void) | undefined;
  /** False ends the call after this token. */
  readonly onToken?: ((token: number) => boolean) | undefined;
  readonly layers?: AsyncIterable<LayerCache> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The other end of {@link CallListeners}, where the engine lives. */
export interface CallLine {
  readonly onChunk: (report: ChunkReport) => void;
  readonly onToken: (token: number) => boolean;
  readonly layers: AsyncIterable<LayerCache>;
  readonly signal: AbortSignal;
}

/** What crosses of calls with listeners. */
interface SentWithListeners {
  readonly extend: readonly [tokens: Int32Array, options: Omit<ExtendOptions, 'onChunk' | 'signal'>];
  readonly generate: readonly [options: Omit<GenerateOptions, 'onToken' | 'signal'>];
  readonly importLayers: readonly [nextTokenIndex: number];
}

/** What crosses of each call: its arguments, without those that are listeners. */
export type Sent = {
  readonly [M in EngineMethod]: M extends keyof SentWithListeners ? SentWithListeners[M] : Arguments<M>;
};

/** How one operation crosses to the thread where the engine lives. */
export interface Operation<Given, Values> {
  /** For people: what was cancelled. */
  readonly name: string;
  /** Takes a call apart. */
  pack(given: Given): { readonly values: Values; readonly listeners: CallListeners };
  /** Puts it together again. */
  unpack(values: Values, line: CallLine): Given;
}

/** An operation without listeners: its arguments cross as they are. */
function plain<Given>(name: string): Operation<Given, Given> {
  return { name, pack: (values) => ({ values, listeners: {} }), unpack: (values) => values };
}

/**
 * Every operation of an {@link Engine}: the worker boundary is made of this table. Arrays in what is answered are given
 * away to the caller, not copied.
 */
export const operations: { readonly [M in EngineMethod]: Operation<Arguments<M>, Sent[M]> } = {
  extend: {
    name: 'Reading',
    pack: ([tokens, { onChunk, signal, ...options }]) => ({
      values: [Int32Array.from(tokens), options],
      listeners: { onChunk, signal },
    }),
    unpack: ([tokens, options], { onChunk, signal }) => [tokens, { ...options, onChunk, signal }],
  },
  generate: {
    name: 'Generating',
    pack: ([{ onToken, signal, ...options }]) => ({ values: [options], listeners: { onToken, signal } }),
    unpack: ([options], { onToken, signal }) => [{ ...options, onToken, signal }],
  },
  mark: plain('Marking the cache'),
  rewind: plain('Rewinding the cache'),
  forget: plain('Forgetting tokens'),
  reset: plain('Emptying the cache'),
  exportLayer: plain('Copying the cache'),
  importLayers: {
    name: 'Restoring the cache',
    pack: ([layers, nextTokenIndex]) => ({ values: [nextTokenIndex], listeners: { layers } }),
    unpack: ([nextTokenIndex], { layers }) => [layers, nextTokenIndex],
  },
  keptUnits: plain('Counting kept units'),
  stats: plain('Counting the cache'),
  dispose: plain('Unloading the model'),
};

/** The operations of an engine that are all done by one function. */
export function engineCalls(
  call: <M extends EngineMethod>(method: M, given: Arguments<M>) => Promise<Result<M>>,
): EngineCalls {
  const of =
    <M extends EngineMethod>(method: M) =>
    (...given: Arguments<M>): Promise<Result<M>> =>
      call(method, given);
  return {
    extend: of('extend'),
    generate: of('generate'),
    mark: of('mark'),
    rewind: of('rewind'),
    forget: of('forget'),
    reset: of('reset'),
    exportLayer: of('exportLayer'),
    importLayers: of('importLayers'),
    keptUnits: of('keptUnits'),
    stats: of('stats'),
    dispose: of('dispose'),
  };
}
