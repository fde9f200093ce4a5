import { LocretError } from '../errors.js';
import { listModels } from '../model/catalog.js';
import type { ModelsResult, RootUri, WorkspaceStatus } from '../contract/protocol.js';
import { filePathOf } from './file-uri.js';
import type { TrainingEvent } from '../training/training-messages.js';
import { HeadTraining } from './head-training.js';
import { modelFolders } from './model-folders.js';
import { OperationQueue } from './operation-queue.js';
import { RootMemory } from './root-memory.js';
import { makeSameMemories, parseSettings, type ChosenSettings } from './settings.js';
import { SharedEngine } from './shared-engine.js';
import type { Surroundings } from './surroundings.js';

export interface WorkspaceHooks {
  /** Called whenever something of the status may have changed. */
  readonly onChange: () => void;
  /** Called when a training came further. */
  readonly onTraining: (event: TrainingEvent) => void;
  /** Told what is worth a line in the log. */
  readonly log: (text: string) => void;
  /** Told what the user should know about the memory of a root, which is named; default: it is logged. */
  readonly onNotice?: (root: string, notice: string) => void;
  /** Called while a root's files are found, with how many were looked at. */
  readonly onFile?: (filesSeen: number) => void;
}

/** A workspace folder as a client names it. */
export interface WorkspaceFolder {
  readonly uri: RootUri;
}

/** The folders of an editor's window, one memory each, and the one model that serves them. */
export class Workspace {
  readonly training: HeadTraining;
  private readonly queue = new OperationQueue();
  private readonly engine: SharedEngine;
  private readonly surroundings: Surroundings;
  private readonly byUri = new Map<RootUri, RootMemory>();
  private idleTimer: NodeJS.Timeout | undefined;
  private watched = false;
  private closed = false;

  constructor(
    private readonly hooks: WorkspaceHooks,
    private settings: ChosenSettings = parseSettings({}),
  ) {
    const onChange = (): void => {
      this.changed();
    };
    this.engine = new SharedEngine(onChange, () => this.training.status !== undefined);
    this.training = new HeadTraining({
      settings: () => this.settings,
      unload: () => this.unload(),
      onHeads: (file) => this.letGoOfHeads(file),
      onChange,
      onProgress: hooks.onTraining,
    });
    this.surroundings = {
      engine: this.engine,
      queue: this.queue,
      settings: () => this.settings,
      isWatched: () => this.watched,
      onChange,
      log: hooks.log,
      onNotice:
        hooks.onNotice ??
        ((root, notice) => {
          hooks.log(`${root}: ${notice}`);
        }),
      onFile: hooks.onFile ?? (() => undefined),
    };
  }

  get roots(): readonly RootMemory[] {
    return [...this.byUri.values()];
  }

  get status(): WorkspaceStatus {
    return {
      model: this.settings.model,
      roots: this.roots.map((root) => root.status),
      engine: this.engine.status,
      training: this.training.status,
    };
  }

  /** @throws LocretError invalid-argument for a folder that is not open */
  root(uri: RootUri): RootMemory {
    const root = this.byUri.get(uri);
    if (root !== undefined) return root;
    throw new LocretError(
      'invalid-argument',
      `${uri} is not a folder of this workspace; there are ${[...this.byUri.keys()].join(', ') || 'none'}.`,
      'Open the folder.',
    );
  }

  /** From now on every change on disk is told by {@link touch}. */
  watch(): void {
    this.watched = true;
    for (const root of this.roots) root.watch();
  }

  /** A file or folder may have changed on disk: all roots that it lies in are told. @param file absolute */
  touch(file: string): void {
    for (const root of this.roots) root.touch(file);
  }

  /** Adds folders; those that are not on this machine's disk are left out. */
  addFolders(folders: readonly WorkspaceFolder[]): void {
    for (const { uri } of folders) {
      const folder = filePathOf(uri);
      if (folder !== undefined && !this.byUri.has(uri)) this.inspect(this.add(uri, folder));
    }
    this.changed();
  }

  /** Adds a folder; nothing is looked at before it is used. @param folder absolute */
  add(uri: RootUri, folder: string): RootMemory {
    const root = new RootMemory(uri, folder, this.surroundings);
    this.byUri.set(uri, root);
    return root;
  }

  async removeFolders(folders: readonly WorkspaceFolder[]): Promise<void> {
    for (const { uri } of folders) {
      const root = this.byUri.get(uri);
      this.byUri.delete(uri);
      await root?.close();
    }
    this.changed();
  }

  /**
   * Takes new settings. Where they lead to other memories, what is loaded is let go; it is loaded anew when it is needed.
   * @throws LocretError invalid-argument; the settings before stay
   */
  async configure(value: unknown): Promise<void> {
    const before = this.settings;
    this.settings = parseSettings(value);
    if (makeSameMemories(before, this.settings)) {
      this.changed();
      return;
    }
    await this.unload();
    for (const root of this.roots) {
      await root.reset();
      this.inspect(root);
    }
  }

  get chosen(): ChosenSettings {
    return this.settings;
  }

  /** Frees the model's memory; readings that are under way are paused. */
  async unload(): Promise<void> {
    for (const root of this.roots) await root.stopReading(true);
    await this.queue.run({ name: 'Unloading the model', task: () => this.engine.unload() });
  }

  async models(): Promise<ModelsResult> {
    const folders = modelFolders();
    return { models: await listModels(folders), folders };
  }

  /** Ends everything, keeping what was read and trained, and frees the model's memory. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.idleTimer);
    await Promise.all([this.training.close(), ...this.roots.map((root) => root.close())]);
    await this.queue.run({ name: 'Ending', task: () => this.engine.unload() });
  }

  /** Heads that are in use were replaced by others: the model is loaded with them when it is next needed. */
  private async letGoOfHeads(file: string): Promise<void> {
    if (this.engine.current?.planned.plan.heads === file) await this.unload();
  }

  /** A root that cannot be looked at now says so when it is used. */
  private inspect(root: RootMemory): void {
    root.inspect().catch((error: unknown) => {
      this.hooks.log(`${root.name}: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  private changed(): void {
    this.hooks.onChange();
    this.restartIdleTimer();
  }

  /** Every change of the status is a sign of use. */
  private restartIdleTimer(): void {
    clearTimeout(this.idleTimer);
    const minutes = this.settings.idleUnloadMinutes;
    if (this.closed || minutes === 0 || this.engine.current === undefined) return;
    this.idleTimer = setTimeout(() => {
      if (this.queue.isBusy) return;
      this.hooks.log(`The model was not used for ${minutes} minutes and is unloaded.`);
      void this.unload();
    }, minutes * 60_000);
    this.idleTimer.unref();
  }
}
