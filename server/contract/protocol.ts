/**
 * The wire contract between the sidecar and an editor: everything beyond the standard language-server protocol
 * (see docs/protocol.md). The contract imports nothing of the project, so that the sidecar, the extension, the chat
 * panel's page, the terminal and tests can all import it.
 *
 * Lines are 1-based and inclusive, as people read them; positions and ranges of standard requests are LSP's own. A root
 * is a workspace folder, named by its URI exactly as the client gave it. Paths are relative to their root, with forward
 * slashes.
 */
import type { AskParams, AskPartial, AskResult } from './answers.js';
import type {
  CoverageResult,
  DefinitionAtParams,
  DefinitionAtResult,
  LineRetentionParams,
  LineRetentionResult,
  RetentionResult,
} from './contents.js';
import type { EngineStatus, ModelsResult } from './models.js';
import type { PlanParams, PlanResult, ReadParams, RootParams, RootStatus, StopReadingParams } from './roots.js';
import type {
  PausedTrainingParams,
  PausedTrainingResult,
  StopTrainingParams,
  TrainingPlanResult,
  TrainingStatus,
  TrainParams,
  TrainResult,
} from './training.js';

export type * from './answers.js';
export type * from './contents.js';
export type * from './models.js';
export type * from './roots.js';
export type { InitializationOptions, SidecarSettings } from './settings.js';
export type * from './training.js';
export type * from './words.js';

/** Params of `locret/status` (both the request's result and the notification). */
export interface WorkspaceStatus {
  /** The chosen model, loaded or not. */
  readonly model: string;
  /** Undefined while no model is loaded. */
  readonly engine?: EngineStatus | undefined;
  /** Undefined while nothing is trained. */
  readonly training?: TrainingStatus | undefined;
  readonly roots: readonly RootStatus[];
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
