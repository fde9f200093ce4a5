/**
 * The wire contract between the sidecar and an editor: everything beyond the standard language-server protocol
 * (see docs/protocol.md). Types only; the extension imports nothing else of the sidecar.
 *
 * Lines are 1-based and inclusive, as people read them; positions and ranges of standard requests are LSP's own. A root
 * is a workspace folder, named by its URI exactly as the client gave it. Paths are relative to their root, with forward
 * slashes.
 */
import type { Answer, AnswerMode, Citation, MemoryFacts, RecalledBlock } from '../answer/answer.js';
import type { Turn } from '../answer/conversation.js';
import type { CachePrecision, WeightPrecision } from '../engine/engine.js';
import type { ErrorCode } from '../errors.js';
import type { FileRetention, ReadProgress } from '../memory/contents/memory.js';
import type { BackendChoice, PlannedBytes } from '../memory/planning/plan.js';
import type { AllocationName } from '../eviction/allocation.js';
import type { StructureName } from '../memory/reading/structure.js';
import type { PolicyName } from '../eviction/policy.js';
import type { ModelEntry } from '../model/catalog.js';
import type { ChangedFile, DefinitionKind, SkippedFile } from '../repository/source.js';
import type { TrainingEstimate } from '../training/estimate-training.js';
import type { CoursePoint } from '../training/training-course.js';
import type { TrainingOptions } from '../training/training-options.js';
import type { TrainingPhase } from '../training/training-steps.js';

export type {
  AnswerMode,
  BackendChoice,
  CachePrecision,
  ChangedFile,
  Citation,
  CoursePoint,
  DefinitionKind,
  ErrorCode,
  FileRetention,
  MemoryFacts,
  ModelEntry,
  PlannedBytes,
  PolicyName,
  ReadProgress,
  RecalledBlock,
  SkippedFile,
  TrainingEstimate,
  TrainingOptions,
  TrainingPhase,
  Turn,
  WeightPrecision,
};

/** URI of a workspace folder. */
export type RootUri = string;

export type LogLevel = 'error' | 'warning' | 'info' | 'debug';

/**
 * What the user chose. Sent as `initializationOptions.settings` and again, whole, with
 * `workspace/didChangeConfiguration` (`settings.locret`). What is left out is chosen by the sidecar. A change of what
 * decides a memory unloads the model; it is loaded again when it is next needed.
 */
export interface SidecarSettings {
  /** A name that `locret/models` lists, or an absolute folder. Default: the bundled model. */
  readonly model?: string;
  /** An absolute file of retaining heads that were trained for this model. Default: the model's own. */
  readonly heads?: string;
  /** `auto`, the default: a GPU with enough memory if there is one, otherwise the processor. */
  readonly backend?: BackendChoice;
  /** bfloat16 and float16 on a GPU only. */
  readonly precision?: WeightPrecision;
  /** How a GPU holds keys and values. */
  readonly cachePrecision?: CachePrecision;
  /** Cache units every KV head keeps (b). */
  readonly budget?: number;
  /** Tokens read per pass (B). */
  readonly chunk?: number;
  /** Newest units exempt from an eviction (n_s). */
  readonly stabilizers?: number;
  readonly policy?: PolicyName;
  /** How the budget is divided between layers and KV heads. */
  readonly allocation?: AllocationName;
  /** What stays before all else: nothing, the paths of files, or also the lines that name definitions. */
  readonly structure?: StructureName;
  /** Tokens of definitions that are re-read for a question; 0 switches recall off. */
  readonly recallTokens?: number;
  /** Patterns in .gitignore syntax. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** Seconds without changes after which changed files are folded in; 0: only when asked to. Default 5. */
  readonly autoUpdateSeconds?: number;
  /** Minutes without use after which the model is unloaded; 0: never. Default 30. */
  readonly idleUnloadMinutes?: number;
  /** 0 is greedy. Default: what the model's folder says. */
  readonly temperature?: number;
  /** Longest answer. Default 256. */
  readonly answerTokens?: number;
  /** Default `info`. */
  readonly logLevel?: LogLevel;
  /** False while the user does not trust the open folders: then nothing is trained. Default true. */
  readonly trusted?: boolean;
}

/** `initializationOptions` of `initialize`. */
export interface InitializationOptions {
  readonly settings?: SidecarSettings;
}

/** An error of any request: `error.data`, beside a message for people. */
export interface ErrorData {
  readonly code: ErrorCode;
  /** What the user can do; one sentence. */
  readonly remedy: string;
}

/**
 * What a root's memory is at.
 * - `idle`: nothing was loaded or read in this session; there may be a snapshot (see `snapshot`).
 * - `loading`: the model is being loaded, a snapshot restored or the files found.
 * - `reading`, `updating`: files pass through the model; `progress` tells how far.
 * - `paused`: reading was stopped half way; what was read is kept and reading goes on from there.
 * - `ready`: questions are answered at once.
 * - `failed`: `error` says why.
 */
export type RootState = 'idle' | 'loading' | 'reading' | 'updating' | 'paused' | 'ready' | 'failed';

/** A memory as it is held. */
export interface MemoryStatus {
  readonly filesRead: number;
  readonly tokensRead: number;
  readonly skipped: number;
  /** Files that changed on disk since they were read. */
  readonly changed: number;
  /** Cache units per KV head, and what every KV head may keep. */
  readonly units: number;
  readonly budget: number;
  readonly source: 'read' | 'snapshot' | 'update';
  /** When it was read or last updated, milliseconds since 1970. */
  readonly made: number;
}

export interface RootStatus {
  readonly root: RootUri;
  readonly name: string;
  readonly state: RootState;
  /** While reading or updating, and where it was paused. */
  readonly progress?: ReadProgress;
  /** Undefined until there is one in this session. It stays known while another root's memory is in the engine. */
  readonly memory?: MemoryStatus;
  /** True when a snapshot on disk will spare reading. */
  readonly snapshot: boolean;
  /** True while a question to this root is being answered. */
  readonly answering: boolean;
  readonly error?: ErrorData & { readonly message: string };
  /** What the user should know about this memory: sentences. */
  readonly notices: readonly string[];
}

/** The model while it is loaded. */
export interface EngineStatus {
  readonly model: string;
  readonly backend: string;
  /** Why it runs there. */
  readonly backendReason: string;
  readonly precision: string;
  readonly policy: string;
  readonly weightBytes: number;
  readonly cacheBytes: number;
}

/** A training that runs. */
export interface TrainingStatus {
  /** The model's name, and the file that its heads are written to. */
  readonly model: string;
  readonly out: string;
  /** `loading`: the model is loaded and files are found. */
  readonly phase: 'loading' | TrainingPhase;
  /** Steps made, of `steps`. */
  readonly step: number;
  readonly steps: number;
  /** SmoothL1 of the last step. */
  readonly loss?: number;
  /** Share of the true top tenth that the heads find on samples held out, as last measured; chance is 0.1. */
  readonly overlap?: number;
  readonly secondsLeft?: number;
}

/** Params of `locret/status` (both the request's result and the notification). */
export interface WorkspaceStatus {
  /** The chosen model, loaded or not. */
  readonly model: string;
  /** Undefined while no model is loaded. */
  readonly engine?: EngineStatus;
  /** Undefined while nothing is trained. */
  readonly training?: TrainingStatus;
  readonly roots: readonly RootStatus[];
}

export interface RootParams {
  readonly root: RootUri;
}

export interface ReadParams extends RootParams {
  /** Read everything again even if there is a snapshot. */
  readonly fresh?: boolean;
}

export interface PlanParams extends RootParams {
  /** Plan with this model instead of the chosen one: a name that `locret/models` lists, or an absolute folder. */
  readonly model?: string;
}

export interface StopReadingParams extends RootParams {
  /** True: pause; what was read is kept. False: drop it; an earlier memory stays. */
  readonly keep: boolean;
}

/** Lines of a document that a question is about, as they stand in the editor now. */
export interface Selection {
  readonly path: string;
  readonly line: number;
  readonly endLine: number;
  readonly text: string;
}

export interface AskParams extends RootParams {
  readonly question: string;
  /** Earlier turns about the same root, oldest first. */
  readonly history?: readonly Turn[];
  /** Default `memory`. `deep`: the repository is read again with the question first. */
  readonly mode?: AnswerMode;
  readonly selection?: Selection;
}

/** What comes while a question is answered (partial results of `locret/ask`). */
export type AskPartial =
  /** `waiting`: for another operation on the engine. `opening`: the memory is loaded or read; see the status. */
  | { readonly kind: 'phase'; readonly phase: 'waiting' | 'opening' | 'reading' | 'answering' }
  /** How far the reading of a deep question is. */
  | { readonly kind: 'progress'; readonly progress: ReadProgress }
  | { readonly kind: 'text'; readonly text: string };

/** How much of the repository an answer rests on. The lists: `locret/coverage`. */
export interface CoverageCounts {
  readonly filesRead: number;
  readonly tokensRead: number;
  readonly skipped: number;
  readonly changed: number;
}

export interface AskResult {
  readonly mode: AnswerMode;
  readonly text: string;
  /** Checked against the files as they are now; best first. */
  readonly citations: readonly Citation[];
  readonly coverage: CoverageCounts;
  /** Definitions that were re-read for this question. */
  readonly recalled: readonly RecalledBlock[];
  readonly timings: Answer['timings'];
  readonly memory: MemoryFacts;
  readonly end: Answer['end'];
  /** Everything that was cut, dropped, not found or has changed, in sentences. */
  readonly notices: readonly string[];
}

/** Which files a memory rests on. */
export interface CoverageResult {
  readonly read: readonly { readonly path: string; readonly tokens: number }[];
  readonly skipped: readonly SkippedFile[];
  readonly changed: readonly ChangedFile[];
}

/** What is remembered, by file, in the order in which they were read. */
export interface RetentionResult {
  readonly files: readonly FileRetention[];
  /** The share of all cache units of the repository that is kept, 0..1. */
  readonly kept: number;
}

export interface LineRetentionParams extends RootParams {
  readonly path: string;
}

export interface LineRetentionResult {
  /** Per line (index 0 is line 1) the share of its cache units that is kept, 0..1; -1 where no token begins. */
  readonly kept: readonly number[];
  /** SHA-256 of the file as it was read, hex: another text has other lines. */
  readonly hash: string;
}

export interface PlanResult {
  readonly model: string;
  /** One line each: name, value, what it is; for a table. */
  readonly rows: readonly (readonly [name: string, value: string, note: string])[];
  readonly bytes: PlannedBytes;
  readonly notices: readonly string[];
}

export interface ModelsResult {
  readonly models: readonly ModelEntry[];
  /** Where users put models of their own. */
  readonly folders: readonly string[];
}

/** A training: what is trained on what, and where the heads go. */
export interface TrainParams {
  /** A name that `locret/models` lists, or an absolute folder. Default: the chosen model. */
  readonly model?: string;
  /** Absolute folders whose source files are trained on; a tenth of these is held out. */
  readonly repositories: readonly string[];
  /**
   * An absolute file (safetensors). Default: beside the model, or where heads are kept if that folder cannot be written
   * to, or belongs to the program.
   */
  readonly out?: string;
  /** What is left out is as `locret train` has it. */
  readonly options?: Partial<TrainingOptions>;
  /** Begin anew although a paused training could go on. */
  readonly fresh?: boolean;
}

export interface TrainingPlanResult extends TrainingEstimate {
  readonly model: string;
  readonly out: string;
  /** True when there are heads in that file, which will be replaced. */
  readonly replaces: boolean;
}

/** How a training ended. `paused`: its checkpoint lies beside `out`; the same request goes on there. */
export type TrainResult =
  | { readonly end: 'finished'; readonly out: string; readonly steps: number; readonly course: readonly CoursePoint[] }
  | { readonly end: 'paused' | 'discarded'; readonly out: string; readonly step: number; readonly steps: number };

export interface StopTrainingParams {
  /** True: pause. False: give it up; its checkpoint is removed. Heads that were finished before stay. */
  readonly keep: boolean;
  /** Where a training that is paused writes to. Default: the one that runs. */
  readonly out?: string;
}

export interface PausedTrainingParams {
  readonly out: string;
}

export interface PausedTrainingResult {
  readonly step: number;
  readonly steps: number;
}

/** A place in a document as the client has it open (unsaved text counts) or as it is on disk. */
export interface DefinitionAtParams {
  readonly uri: string;
  readonly line: number;
}

export interface DefinitionAtResult {
  readonly name: string;
  readonly kind: DefinitionKind;
  readonly line: number;
  readonly endLine: number;
  readonly container?: string;
}

/** The custom requests, from client to sidecar. `partial`: type of the partial results. */
export interface LocretRequests {
  'locret/status': { params: Record<string, never>; result: WorkspaceStatus; partial: never };
  /** Restores or reads a root's memory; goes on where it was paused. Reports work-done progress; cancelling pauses. */
  'locret/read': { params: ReadParams; result: RootStatus; partial: never };
  /** Folds changed files into a root's memory. Reports work-done progress. */
  'locret/update': { params: RootParams; result: RootStatus; partial: never };
  'locret/stopReading': { params: StopReadingParams; result: RootStatus; partial: never };
  /** Answers a question; opens the memory first where it is not. Cancelling ends the answer. */
  'locret/ask': { params: AskParams; result: AskResult; partial: AskPartial };
  'locret/coverage': { params: RootParams; result: CoverageResult; partial: never };
  'locret/retention': { params: RootParams; result: RetentionResult; partial: never };
  'locret/lineRetention': { params: LineRetentionParams; result: LineRetentionResult; partial: never };
  /** What reading will take; loads nothing. */
  'locret/plan': { params: PlanParams; result: PlanResult; partial: never };
  'locret/models': { params: Record<string, never>; result: ModelsResult; partial: never };
  /** The innermost definition around a line; null where there is none. */
  'locret/definitionAt': { params: DefinitionAtParams; result: DefinitionAtResult | null; partial: never };
  /** Frees the model's memory; snapshots stay. Ends what runs: a reading is paused. */
  'locret/unload': { params: Record<string, never>; result: WorkspaceStatus; partial: never };
  /** What a training will take: makes two steps of it and keeps nothing. Unloads the model that is in use. */
  'locret/trainingPlan': { params: TrainParams; result: TrainingPlanResult; partial: never };
  /**
   * Trains retaining heads, or goes on where that was paused. Unloads the model that is in use. One at a time. Reports
   * work-done progress; cancelling pauses.
   */
  'locret/train': { params: TrainParams; result: TrainResult; partial: never };
  /** Ends a training and answers when it has ended; or gives one up that is paused. */
  'locret/stopTraining': { params: StopTrainingParams; result: WorkspaceStatus; partial: never };
  /** How far the training came that is paused beside a file; null where there is none. */
  'locret/pausedTraining': { params: PausedTrainingParams; result: PausedTrainingResult | null; partial: never };
}

/** The custom notifications, from sidecar to client. */
export interface LocretNotifications {
  /** Whenever something of it changed, at most ten times a second. */
  'locret/status': WorkspaceStatus;
  /** While heads are trained, at most ten times a second; that it began and ended is told by the status. */
  'locret/training': TrainingStatus;
}

/** Arguments of the commands that code actions carry; the client executes them. */
export interface CodeActionCommands {
  /** Opens an inline question about the lines. */
  'locret.askSelection': [place: { readonly uri: string; readonly line: number; readonly endLine: number }];
  /** Asks what a definition is and does. */
  'locret.explainSymbol': [place: { readonly uri: string; readonly line: number }];
}

/** Scheme of the documents that the sidecar writes (`workspace/textDocumentContent`): `locret-report:/plan.md?ROOT`. */
export type ReportScheme = 'locret-report';
/**
 * `plan`: the memory plan. `coverage`: what was read, skipped and has changed. `models`: what can be used. `training`: how
 * heads were trained; its query is the absolute path of their file instead of a root.
 */
export type ReportName = 'plan' | 'coverage' | 'models' | 'training';
