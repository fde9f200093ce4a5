import type { Localization } from '../text/localization.js';
import type { Sidecar } from '../sidecar/sidecar.js';
import { exampleQuestions } from './example-questions.js';
import { bundledModel } from './shown-memory.js';
import { localizationOf } from './texts.js';
import type { RootView } from './messages.js';

const englishTexts = localizationOf('en', {});

/** The example questions of each root, made once when its memory is there. */
export class Examples {
  /** Empty while they are being made. */
  private readonly made = new Map<string, readonly string[]>();

  /** @param onMade called when the questions about a root have become known */
  constructor(
    private readonly sidecar: Sidecar,
    private readonly language: Localization,
    private readonly onMade: () => void,
  ) {}

  /** The questions about a root as far as they are known; asks for them when they are not. */
  about({ root, memory }: RootView): readonly string[] {
    if (memory !== undefined && !this.made.has(root.uri)) void this.make(root.uri);
    return this.made.get(root.uri) ?? [];
  }

  private async make(root: string): Promise<void> {
    this.made.set(root, []);
    try {
      const questions = await exampleQuestions(
        {
          coverage: () => this.sidecar.request('locret/coverage', { root }),
          definitionAt: (path, line) => {
            const file = path.split('/').map(encodeURIComponent).join('/');
            return this.sidecar.request('locret/definitionAt', { uri: `${root.replace(/\/$/, '')}/${file}`, line });
          },
        },
        // The bundled model reads English only.
        this.sidecar.status.model === bundledModel ? englishTexts : this.language,
      );
      this.made.set(root, questions);
      if (questions.length > 0) this.onMade();
    } catch {
      // Examples are an offer; what keeps the sidecar from answering is told where it matters.
      this.made.delete(root);
    }
  }
}
