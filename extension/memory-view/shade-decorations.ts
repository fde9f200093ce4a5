import * as vscode from 'vscode';
import { shadeMark } from './share-bar.js';
import { shades, type ShadedLines } from './shaded-lines.js';

/** Shades whose lines are marked in the overview ruler as well, the strongest ones. */
const markedShades = 3;

/** The looks of the shades: a tint of the whole line, and beside it a bar whose length says the same. */
export class ShadeDecorations implements vscode.Disposable {
  private readonly types: readonly vscode.TextEditorDecorationType[] = Array.from({ length: shades }, (_, index) => {
    const shade = index + 1;
    const icon = (theme: 'light' | 'dark'): vscode.ThemableDecorationRenderOptions => ({
      gutterIconPath: vscode.Uri.parse(shadeMark(shade / shades, theme)),
      gutterIconSize: 'contain',
    });
    return vscode.window.createTextEditorDecorationType({
      isWholeLine: true,
      backgroundColor: new vscode.ThemeColor(`locret.retentionBackground${shade}`),
      light: icon('light'),
      dark: icon('dark'),
      ...(shade > shades - markedShades
        ? {
            overviewRulerColor: new vscode.ThemeColor('locret.retentionRulerForeground'),
            overviewRulerLane: vscode.OverviewRulerLane.Left,
          }
        : {}),
    });
  });

  /** @param ranges per shade, the faintest first */
  show(editor: vscode.TextEditor, ranges: readonly (readonly ShadedLines[])[]): void {
    for (const [index, type] of this.types.entries())
      editor.setDecorations(
        type,
        (ranges[index] ?? []).map(({ first, last }) => new vscode.Range(first, 0, last, 0)),
      );
  }

  dispose(): void {
    for (const type of this.types) type.dispose();
  }
}
