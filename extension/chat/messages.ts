/** The contract between the extension and the chat panel’s page; what a page sends is checked by `page-message.ts`. */
import type {
  AnswerMode,
  ChangedFile,
  CoverageResult,
  EngineStatus,
  MemoryStatus,
  ReadFile,
  RootStatus,
  SkippedFile,
} from '../../server/contract/protocol.js';
import type { ConversationSummary, ReadingProgress, Root, Turn } from '../conversation/conversation.js';

export type { ConversationSummary };

/** What the sidecar's process is at; `reason`: why it is restarted or stays stopped. */
export interface LifeView {
  readonly state: 'starting' | 'running' | 'restarting' | 'stopped';
  readonly reason?: string;
}

/** What reading a repository will take. */
export interface PlanView {
  readonly peakBytes: number;
  readonly cacheBytes: number;
  readonly freeBytes: number;
  readonly notices: readonly string[];
}

/** A root and its memory. */
export interface RootView extends Pick<RootStatus, 'state' | 'snapshot' | 'notices'> {
  readonly root: Root;
  readonly progress?: ReadingProgress | undefined;
  readonly memory?: Omit<MemoryStatus, 'budget' | 'source' | 'made'> | undefined;
  readonly error?: Pick<NonNullable<RootStatus['error']>, 'message' | 'remedy'> | undefined;
  /** Known once it was asked for. */
  readonly plan?: PlanView | undefined;
  /** Seconds that reading again for a deep question will take; undefined until a speed is known. */
  readonly deepSeconds?: number | undefined;
}

/** The sidecar and the memories of all roots. */
export interface MemoryView {
  readonly life: LifeView;
  /** Name of the chosen model. */
  readonly model: string;
  /** True for the model that comes with Locret, which is tiny. */
  readonly isBundled: boolean;
  /** Undefined while no model is loaded. */
  readonly engine?: Omit<EngineStatus, 'model' | 'backendReason'> | undefined;
  /** Empty when no folder is open. */
  readonly roots: readonly RootView[];
}

/** URI of the root that is asked, or all of them in turn. */
export type Target = string;
export const allRoots: Target = 'all';

/** The conversation that the page shows. */
export interface ConversationView {
  readonly id: string;
  /** Empty while nothing was asked. */
  readonly title: string;
  readonly turns: readonly Turn[];
}

/** Everything that the page shows: it can be built anew from this at any time. */
export interface ChatState {
  /** BCP 47 tag, for numbers and dates. */
  readonly language: string;
  /** The user's language by English text; what is missing is shown in English. */
  readonly texts: Readonly<Record<string, string>>;
  readonly conversation: ConversationView;
  readonly memory: MemoryView;
  readonly target: Target;
  /** Questions that fit the repository. */
  readonly examples: readonly string[];
}

/** Which list of `locret/coverage`. */
export type CoveragePart = keyof CoverageResult;

/** A file of such a list. */
export interface CoverageFile extends Partial<Omit<ReadFile & SkippedFile & ChangedFile, 'path'>> {
  readonly path: string;
}

/** From the extension to the page. */
export type ExtensionMessage =
  | { readonly type: 'state'; readonly state: ChatState }
  /** A turn of the shown conversation is new or has changed. */
  | { readonly type: 'turn'; readonly turn: Turn }
  /** Text was appended to an answer, behind its first `at` UTF-16 units. */
  | { readonly type: 'text'; readonly turn: string; readonly root: string; readonly at: number; readonly text: string }
  | { readonly type: 'turnRemoved'; readonly turn: string }
  | { readonly type: 'memory'; readonly memory: MemoryView; readonly examples: readonly string[] }
  /** Puts a text into the composer. */
  | { readonly type: 'compose'; readonly text: string; readonly deep: boolean; readonly target?: Target }
  /** Answers `coverage`. `more`: files that are left out of the list. */
  | {
      readonly type: 'coverage';
      readonly request: string;
      readonly files: readonly CoverageFile[];
      readonly more: number;
      readonly error?: string;
    }
  | { readonly type: 'showConversations' }
  /** Answers `listConversations`, and tells what has become of the list since. */
  | { readonly type: 'conversations'; readonly search: string; readonly conversations: readonly ConversationSummary[] }
  /** A turn or a conversation was deleted, and `undo` brings it back. */
  | { readonly type: 'deleted'; readonly what: 'turn' | 'conversation'; readonly title: string };

/** Commands that the page may run, and no others. */
export const pageCommands = [
  'locret.restart',
  'locret.showLog',
  'locret.showPlan',
  'locret.chooseModel',
  'vscode.openFolder',
] as const;
export type PageCommand = (typeof pageCommands)[number];

/** From the page to the extension. */
export type PageMessage =
  /** The page was built and waits for `state`; also sent when it has missed something. */
  | { readonly type: 'ready' }
  | { readonly type: 'ask'; readonly question: string; readonly mode: AnswerMode; readonly target: Target }
  /** Ends the answers to a question; one that has not begun is taken back into the composer. */
  | { readonly type: 'stop'; readonly turn: string }
  | { readonly type: 'retry'; readonly turn: string }
  | { readonly type: 'removeTurn'; readonly turn: string }
  | { readonly type: 'undo' }
  | {
      readonly type: 'openPlace';
      readonly root: string;
      readonly path: string;
      readonly line: number;
      readonly endLine: number;
    }
  | { readonly type: 'copy'; readonly text: string }
  | { readonly type: 'insert'; readonly text: string }
  | { readonly type: 'newFile'; readonly text: string; readonly language: string }
  | { readonly type: 'coverage'; readonly request: string; readonly root: string; readonly part: CoveragePart }
  /** What the memory card offers. */
  | { readonly type: 'memory'; readonly action: 'read' | 'update' | 'pause' | 'cancel'; readonly root: string }
  | { readonly type: 'command'; readonly command: PageCommand }
  | { readonly type: 'target'; readonly target: Target }
  | { readonly type: 'newConversation' }
  | { readonly type: 'listConversations'; readonly search: string }
  | { readonly type: 'openConversation'; readonly id: string }
  | { readonly type: 'renameConversation'; readonly id: string; readonly name: string }
  | { readonly type: 'removeConversation'; readonly id: string };
