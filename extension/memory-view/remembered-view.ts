import * as vscode from 'vscode';
import { displayLanguage } from '../text/display-language.js';
import { rootOf } from '../places/places.js';
import { itemOf, tooltipOf } from './node-item.js';
import type { RememberedRoots } from './remembered-roots.js';
import { shareText } from './retention-scale.js';
import {
  childrenOf,
  retentionOrders,
  wayTo,
  type RetentionNode,
  type RetentionOrder,
  type RootNode,
} from './retention-tree.js';

const viewId = 'locret.remembered';
const orderKey = 'locret.rememberedOrder';

function orderText(order: RetentionOrder): string {
  switch (order) {
    case 'name':
      return vscode.l10n.t('Name');
    case 'share':
      return vscode.l10n.t('Share that is kept');
    case 'reading':
      return vscode.l10n.t('Order of reading');
  }
}

/** The view *What Is Remembered* in the explorer. */
export class RememberedView implements vscode.TreeDataProvider<RetentionNode>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly view: vscode.TreeView<RetentionNode>;
  private readonly subscriptions: vscode.Disposable;
  private endOfLoading: (() => void) | undefined;
  private order: RetentionOrder;

  constructor(
    private readonly remembered: RememberedRoots,
    private readonly state: vscode.Memento,
  ) {
    const order: unknown = state.get(orderKey);
    this.order = retentionOrders.find((candidate) => candidate === order) ?? 'name';
    this.view = vscode.window.createTreeView(viewId, { treeDataProvider: this, showCollapseAll: true });
    this.subscriptions = vscode.Disposable.from(
      this.view,
      this.changed,
      this.view.onDidChangeVisibility(({ visible }) => {
        remembered.look(viewId, visible);
        this.followEditor();
      }),
      remembered.onDidChange(() => {
        this.refresh();
      }),
      remembered.onDidFail((error) => {
        this.view.message = error instanceof Error ? error.message : String(error);
      }),
      vscode.window.onDidChangeActiveTextEditor(() => {
        this.followEditor();
      }),
    );
    remembered.look(viewId, this.view.visible);
  }

  dispose(): void {
    this.subscriptions.dispose();
    this.endOfLoading?.();
  }

  /** Brings the view to the front. */
  async show(): Promise<void> {
    await vscode.commands.executeCommand(`${viewId}.focus`);
  }

  /** Lets the user choose how files are sorted; kept for the workspace. */
  async chooseOrder(): Promise<void> {
    const picked = await vscode.window.showQuickPick(
      retentionOrders.map((order) => ({ order, label: orderText(order), picked: order === this.order })),
      { placeHolder: vscode.l10n.t('Sort files by') },
    );
    if (picked === undefined) return;
    this.order = picked.order;
    this.changed.fire(undefined);
    await this.state.update(orderKey, picked.order);
  }

  getTreeItem(node: RetentionNode): vscode.TreeItem {
    const root = this.rootNodeOf(node);
    return root === undefined ? new vscode.TreeItem('') : itemOf(node, root);
  }

  resolveTreeItem(item: vscode.TreeItem, node: RetentionNode): vscode.TreeItem {
    const root = this.rootNodeOf(node);
    const tooltip = root && tooltipOf(node, root);
    if (tooltip !== undefined) item.tooltip = tooltip;
    return item;
  }

  getChildren(node?: RetentionNode): RetentionNode[] {
    if (node === undefined) {
      const [only, ...more] = this.remembered.trees;
      return only === undefined ? [] : more.length === 0 ? this.childrenOfRoot(only) : [only, ...more];
    }
    switch (node.kind) {
      case 'root':
        return this.childrenOfRoot(node);
      case 'folder':
        return childrenOf(node, this.order);
      case 'skipped-group':
        return node.files.map((file) => ({ kind: 'skipped', root: node.root, file }));
      case 'file':
      case 'skipped':
        return [];
    }
  }

  getParent(node: RetentionNode): RetentionNode | undefined {
    const root = this.rootNodeOf(node);
    if (root === undefined || node.kind === 'root') return undefined;
    if (node.kind === 'skipped') return root.skipped;
    const way = node.kind === 'skipped-group' ? [] : (wayTo(root, node.path) ?? []);
    const parent = way.at(-2);
    return parent ?? (this.remembered.trees.length > 1 ? root : undefined);
  }

  private childrenOfRoot({ folder, skipped }: RootNode): RetentionNode[] {
    return [...childrenOf(folder, this.order), ...(skipped === undefined ? [] : [skipped])];
  }

  private rootNodeOf(node: RetentionNode): RootNode | undefined {
    return node.kind === 'root' ? node : this.remembered.tree(node.root);
  }

  private refresh(): void {
    const { trees, isLoading } = this.remembered;
    this.showLoading(isLoading);
    if (isLoading) return;
    const [only, ...more] = trees;
    // `description` cannot be set to undefined under exact optional properties; an empty one shows nothing.
    this.view.description =
      only === undefined || more.length > 0
        ? ''
        : vscode.l10n.t('{0} kept', shareText(only.folder.kept, displayLanguage));
    if (only !== undefined) this.view.message = '';
    this.changed.fire(undefined);
    this.followEditor();
  }

  /** The view's progress bar runs as long as something is being asked for. */
  private showLoading(isLoading: boolean): void {
    if (!isLoading) {
      this.endOfLoading?.();
      this.endOfLoading = undefined;
      return;
    }
    if (this.endOfLoading !== undefined) return;
    void vscode.window.withProgress(
      { location: { viewId } },
      () =>
        new Promise<void>((resolve) => {
          this.endOfLoading = resolve;
        }),
    );
  }

  /** Selects the file of the active editor, as the explorer does. */
  private followEditor(): void {
    const document = vscode.window.activeTextEditor?.document;
    if (!this.view.visible || document === undefined) return;
    const root = rootOf(document.uri);
    const tree = root === undefined ? undefined : this.remembered.tree(root);
    if (root === undefined || tree === undefined) return;
    const path = document.uri.path.slice(vscode.Uri.parse(root).path.length).replace(/^\//, '');
    const file = wayTo(tree, path)?.at(-1);
    if (file !== undefined) void this.view.reveal(file, { select: true, focus: false, expand: false });
  }
}
