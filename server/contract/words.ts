/** The words that cross a boundary: each list stands here once, and its type is what the list says. */

/** What went wrong, as a stable word for programs; the message is for people. */
export const errorCodes = [
  'repository-not-found',
  'repository-empty',
  'repository-unreadable',
  'not-read',
  'model-not-found',
  'model-unsupported',
  'model-corrupt',
  'heads-corrupt',
  'tokenizer-unsupported',
  'template-failed',
  'out-of-memory',
  'window-too-small',
  'question-too-long',
  'snapshot-corrupt',
  'snapshot-foreign',
  'memory-locked',
  'disk-full',
  'training-under-way',
  'not-trusted',
  'cancelled',
  'invalid-argument',
  'engine-failed',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** How much the log tells, the least first. */
export const logLevels = ['error', 'warning', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** The model families that are run. */
export const modelFamilies = ['llama', 'qwen2', 'qwen3', 'phi3', 'mistral'] as const;
export type ModelFamily = (typeof modelFamilies)[number];

/** `auto`: a GPU with enough memory if there is one, otherwise the processor. */
export const backendChoices = ['auto', 'cpu', 'cuda'] as const;
export type BackendChoice = (typeof backendChoices)[number];

/** How the processor holds weights while they run: as float32, or quantized when the model is loaded. */
export const processorPrecisions = ['float32', 'int8', 'int4'] as const;
export type ProcessorPrecision = (typeof processorPrecisions)[number];

/** How weights are held while they run: bfloat16 and float16 on a GPU only. */
export const weightPrecisions = ['float32', 'bfloat16', 'float16', 'int8', 'int4'] as const;
export type WeightPrecision = (typeof weightPrecisions)[number];

/** How a GPU holds keys and values: as they are computed, or quantized. */
export const cachePrecisions = ['full', 'int8', 'int4'] as const;
export type CachePrecision = (typeof cachePrecisions)[number];

/** The eviction policies that are offered to users, the trained one first. */
export const offeredPolicies = ['locret', 'key-difference', 'sink-recent'] as const;
export type OfferedPolicy = (typeof offeredPolicies)[number];

/**
 * How what all KV heads may keep is divided between them. `even`: every head keeps the budget (Locret). `pyramid`: lower
 * layers keep more than upper ones (PyramidKV).
 */
export const allocationNames = ['even', 'pyramid'] as const;
export type AllocationName = (typeof allocationNames)[number];

/**
 * Structural stabilizers: which units stay before all others, as far as the budget goes, because one finds one's way by
 * them. `headers`: the paths of files. `definitions`: these, and the lines that name definitions.
 */
export const structureNames = ['none', 'headers', 'definitions'] as const;
export type StructureName = (typeof structureNames)[number];

/** Why a file of the repository is not part of the stream. */
export const skipReasons = [
  'binary',
  'generated',
  'lock-file',
  'too-large',
  'unreadable',
  'symlink-outside',
  'nested-repository',
  'not-utf8',
  'vanished',
  'empty',
] as const;
export type SkipReason = (typeof skipReasons)[number];

export const definitionKinds = [
  'function',
  'method',
  'class',
  'interface',
  'type',
  'enum',
  'constant',
  'variable',
  'module',
  'field',
] as const;
export type DefinitionKind = (typeof definitionKinds)[number];

/** Where a memory comes from. */
export const memorySources = ['read', 'snapshot', 'update'] as const;
export type MemorySource = (typeof memorySources)[number];

/** Asked of the ordinary memory, or of one that was read with the question first. */
export const answerModes = ['memory', 'deep'] as const;
export type AnswerMode = (typeof answerModes)[number];

/** Why an answer ended. */
export const answerEnds = ['stop-token', 'token-limit', 'capacity', 'stopped', 'stop-string', 'repetition'] as const;
export type AnswerEnd = (typeof answerEnds)[number];

/** How a link came about: re-read behind the memory, named by the answer, or attended to in the retained cache. */
export const citationSources = ['recall', 'answer', 'memory'] as const;
export type CitationSource = (typeof citationSources)[number];

/**
 * Why a block is shown: the question is about it or about lines in it, gives its name exactly, gives a similar name,
 * gives its file, gave it in the turn before, or attends to it in the retained cache.
 */
export const recallReasons = ['selection', 'name', 'similar-name', 'path', 'earlier-turn', 'attention'] as const;
export type RecallReason = (typeof recallReasons)[number];

/** What retaining heads read of a token. `qkv`: query, key and value, as published. `hidden`: the hidden state. */
export const headInputs = ['qkv', 'hidden'] as const;
export type HeadInput = (typeof headInputs)[number];

/**
 * What a unit is worth. `published`: the largest logit that an answer's tokens give to it. `contribution`: the largest
 * share of a layer's output that it has at an answer's tokens. `reconstruction`: the same while the model repeats the text
 * (KVzip, arXiv 2505.23416). Shares can be compared over heads, logits cannot.
 */
export const labelKinds = ['published', 'contribution', 'reconstruction'] as const;
export type LabelKind = (typeof labelKinds)[number];

/** Whether the answers that heads learn from are quoted from the source, or given by the model itself. */
export const trainingAnswers = ['source', 'model'] as const;
export type TrainingAnswers = (typeof trainingAnswers)[number];
