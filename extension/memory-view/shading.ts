import * as vscode from 'vscode';
import type { LineRetentionResult, RootUri } from '../../server/contract/protocol.js';
import { displayLanguage } from '../text/display-language.js';
import { linesOfText } from '../places/document-lines.js';
import { showFailure } from '../failures/failures.js';
import { pathInRoot } from '../places/path-in-root.js';
import { rootOf } from '../places/places.js';
import type { Sidecar } from '../sidecar/sidecar.js';
import { matchLines } from './line-matching.js';
import type { RememberedRoots } from './remembered-roots.js';
import { shareText } from './retention-scale.js';
import { wayTo } from './retention-tree.js';
import { ShadeDecorations } from './shade-decorations.js';
import { hasChangedLines, shadedLines, shareOf, type LineShares } from './shaded-lines.js';
import { linesAsRead } from './text-as-read.js';

/** Milliseconds without edits after which an edited document is shaded anew; until then VS Code moves the shades. */
const pauseAfterEdit = 200;
const noticeTime = 8_000;

/** What is known of a document's file as it was read. */
interface FileAsRead {
  readonly retention: LineRetentionResult;
  /** Undefined when the file was no longer the same when it was opened. */
  readonly lines: readonly string[] | undefined;
}

/** What is shown of a document. */
interface Shown extends LineShares {
  readonly version: number;
}

/** Shades the lines of the open editors by how much of them is remembered, as long as it is not disposed. */
export class Shading implements vscode.Disposable {
  private readonly decorations = new ShadeDecorations();
  /** By the document's URI; `made` says which memory is meant. */
  private readonly files = new Map<string, { readonly made: number; readonly file: Promise<FileAsRead | undefined> }>();
  private readonly shown = new WeakMap<vscode.TextDocument, Shown>();
  /** Documents of which was said that they have changed, by the memory that was meant. */
  private readonly told = new WeakMap<vscode.TextDocument, number>();
  private readonly edited = new Map<vscode.TextDocument, NodeJS.Timeout>();
  private readonly subscriptions: vscode.Disposable;
  private isDisposed = false;

  constructor(
    private readonly sidecar: Sidecar,
    private readonly remembered: RememberedRoots,
  ) {
    this.subscriptions = vscode.Disposable.from(
      this.decorations,
      vscode.window.onDidChangeVisibleTextEditors((editors) => {
        this.shadeAll(editors);
      }),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0) this.shadeSoon(document);
      }),
      vscode.workspace.onDidCloseTextDocument((document) => {
        this.files.delete(document.uri.toString());
      }),
      remembered.onDidChange(() => {
        if (!remembered.isLoading) this.shadeAll(vscode.window.visibleTextEditors);
      }),
      vscode.languages.registerHoverProvider(
        { scheme: 'file' },
        {
          provideHover: (document, position) => this.hover(document, position),
        },
      ),
    );
    remembered.look('shading', true);
    this.shadeAll(vscode.window.visibleTextEditors);
  }

  dispose(): void {
    this.isDisposed = true;
    this.remembered.look('shading', false);
    for (const timer of this.edited.values()) clearTimeout(timer);
    this.subscriptions.dispose();
  }

  private shadeAll(editors: readonly vscode.TextEditor[]): void {
    for (const editor of editors) this.shade(editor).catch(showFailure);
  }

  private shadeSoon(document: vscode.TextDocument): void {
    clearTimeout(this.edited.get(document));
    this.edited.set(
      document,
      setTimeout(() => {
        this.edited.delete(document);
        this.shadeAll(vscode.window.visibleTextEditors.filter((editor) => editor.document === document));
      }, pauseAfterEdit),
    );
  }

  private async shade(editor: vscode.TextEditor): Promise<void> {
    const { document } = editor;
    const root = rootOf(document.uri);
    const memory = root === undefined ? undefined : this.remembered.memory(root);
    const file =
      root === undefined || memory === undefined ? undefined : await this.fileOf(root, memory.made, document);
    if (this.isDisposed) return;
    if (memory === undefined || file?.lines === undefined) {
      this.shown.delete(document);
      this.decorations.show(editor, []);
      if (memory !== undefined && file !== undefined) this.tellOfChange(document, memory.made);
      return;
    }
    const shares = this.sharesOf(document, file.retention, file.lines);
    this.decorations.show(editor, shadedLines(shares, memory.average));
    if (hasChangedLines(shares)) this.tellOfChange(document, memory.made);
  }

  private sharesOf(
    document: vscode.TextDocument,
    retention: LineRetentionResult,
    lines: readonly string[],
  ): LineShares {
    const { version } = document;
    const known = this.shown.get(document);
    if (known?.version === version && known.kept === retention.kept) return known;
    const shown: Shown = { version, kept: retention.kept, matches: matchLines(lines, linesOfText(document.getText())) };
    this.shown.set(document, shown);
    return shown;
  }

  /** Asked for once per memory; undefined for files that were not read. */
  private fileOf(root: RootUri, made: number, document: vscode.TextDocument): Promise<FileAsRead | undefined> {
    const key = document.uri.toString();
    const known = this.files.get(key);
    if (known?.made === made) return known.file;
    const file = this.askFor(root, document, known?.file);
    this.files.set(key, { made, file });
    file.catch(() => {
      if (this.files.get(key)?.file === file) this.files.delete(key);
    });
    return file;
  }

  private async askFor(
    root: RootUri,
    document: vscode.TextDocument,
    before: Promise<FileAsRead | undefined> | undefined,
  ): Promise<FileAsRead | undefined> {
    const path = pathInRoot(document.uri, root);
    const tree = this.remembered.tree(root);
    const node = path === undefined ? undefined : tree && wayTo(tree, path)?.at(-1);
    if (path === undefined || node?.kind !== 'file' || node.change === 'added') return undefined;
    const known = await before?.catch(() => undefined);
    const retention = await this.sidecar.request('locret/lineRetention', { root, path });
    const isSame = known?.lines !== undefined && known.retention.hash === retention.hash;
    return { retention, lines: isSame ? known.lines : await linesAsRead(document, retention.hash) };
  }

  /** Once per document and memory, where it does not disturb. */
  private tellOfChange(document: vscode.TextDocument, made: number): void {
    if (this.told.get(document) === made) return;
    this.told.set(document, made);
    vscode.window.setStatusBarMessage(
      vscode.l10n.t('Lines that have changed since the file was read are not shaded.'),
      noticeTime,
    );
  }

  private hover(document: vscode.TextDocument, { line }: vscode.Position): vscode.Hover | undefined {
    const shown = this.shown.get(document);
    const share = shown?.version === document.version ? shareOf(shown, line) : undefined;
    if (share === undefined) return undefined;
    return new vscode.Hover(
      vscode.l10n.t('Locret kept {0} of this line’s cache units.', shareText(share, displayLanguage)),
    );
  }
}
