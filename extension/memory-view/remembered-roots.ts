import * as vscode from 'vscode';
import type { CoverageResult, RetentionResult, RootStatus, RootUri } from '../../server/contract/protocol.js';
import type { Sidecar } from '../sidecar/sidecar.js';
import { buildRetentionTree, type RootNode } from './retention-tree.js';

interface Held {
  /** Which memory the tree shows, and which changes on disk. */
  readonly made: number;
  readonly changed: number;
  readonly retention: RetentionResult;
  readonly tree: RootNode;
}

/**
 * What is remembered of every root: asked for once per memory, and only while somebody looks. What was known stays until
 * the new is there.
 */
export class RememberedRoots implements vscode.Disposable {
  private readonly held = new Map<RootUri, Held>();
  private readonly loading = new Set<RootUri>();
  private readonly refused = new Map<RootUri, number>();
  private readonly onlookers = new Set<string>();
  private readonly changed = new vscode.EventEmitter<void>();
  /** When a tree has changed, came or went. */
  readonly onDidChange = this.changed.event;
  private readonly failed = new vscode.EventEmitter<unknown>();
  /** When a tree could not be had, with what was thrown. */
  readonly onDidFail = this.failed.event;
  private readonly subscription: vscode.Disposable;

  constructor(private readonly sidecar: Sidecar) {
    this.subscription = sidecar.onDidChangeStatus(() => {
      this.refresh();
    });
  }

  dispose(): void {
    this.subscription.dispose();
    this.changed.dispose();
    this.failed.dispose();
  }

  /** Trees of the roots that have a memory, in the order of the workspace, as far as they are known. */
  get trees(): readonly RootNode[] {
    return this.sidecar.status.roots.flatMap(({ root }) => this.held.get(root)?.tree ?? []);
  }

  tree(root: RootUri): RootNode | undefined {
    return this.held.get(root)?.tree;
  }

  /** The share of all cache units of a root that is kept, and when its memory was made. */
  memory(root: RootUri): { readonly average: number; readonly made: number } | undefined {
    const held = this.held.get(root);
    return held && { average: held.retention.kept, made: held.made };
  }

  /** True while a tree is being asked for. */
  get isLoading(): boolean {
    return this.loading.size > 0;
  }

  /**
   * Says whether somebody looks; while nobody does, nothing is asked for.
   * @param onlooker name of who it is
   */
  look(onlooker: string, looks: boolean): void {
    if (looks) this.onlookers.add(onlooker);
    else this.onlookers.delete(onlooker);
    this.refresh();
  }

  private refresh(): void {
    const { roots } = this.sidecar.status;
    const gone = [...this.held.keys()].filter(
      (root) => roots.find((candidate) => candidate.root === root)?.memory === undefined,
    );
    for (const root of gone) this.held.delete(root);
    if (gone.length > 0) this.changed.fire();
    if (this.onlookers.size === 0) return;
    for (const status of roots) this.load(status);
  }

  private load(status: RootStatus): void {
    const { root, memory } = status;
    if (memory === undefined || this.loading.has(root)) return;
    const held = this.held.get(root);
    if (held?.made === memory.made && held.changed === memory.changed) return;
    if (this.refused.get(root) === memory.made) return;
    this.loading.add(root);
    void this.ask(status, memory, held?.made === memory.made ? held.retention : undefined)
      .catch((error: unknown) => {
        // Not asked for again until there is another memory: the next status would bring the same failure.
        this.refused.set(root, memory.made);
        this.failed.fire(error);
      })
      .finally(() => {
        this.loading.delete(root);
        this.changed.fire();
      });
    this.changed.fire();
  }

  private async ask(
    { root, name }: RootStatus,
    { made, changed }: NonNullable<RootStatus['memory']>,
    known: RetentionResult | undefined,
  ): Promise<void> {
    const [retention, coverage]: readonly [RetentionResult, CoverageResult] = await Promise.all([
      known ?? this.sidecar.request('locret/retention', { root }),
      this.sidecar.request('locret/coverage', { root }),
    ]);
    const tree = buildRetentionTree({ root, name }, retention, coverage);
    this.held.set(root, { made, changed, retention, tree });
  }
}
