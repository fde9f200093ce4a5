import type { ReadProgress } from '../contract/roots.js';
import { planRows } from '../memory/planning/render-plan.js';
import { formatCount } from '../quantities.js';
import type { RootMemory } from '../workspace/root-memory.js';
import type { Workspace } from '../workspace/workspace.js';
import { planParams, readParams, rootParams, stopReadingParams } from './params.js';
import type { UseCases, Work } from './use-case.js';

/** `120 of 420 files · 13,000 tokens/s · 20 s left` */
function progressMessage({ filesRead, files, tokensPerSecond, secondsLeft }: ReadProgress): string {
  const left = secondsLeft === undefined ? '' : ` · ${Math.ceil(secondsLeft)} s left`;
  const speed = formatCount(Math.round(tokensPerSecond));
  return `${formatCount(filesRead)} of ${formatCount(files)} files · ${speed} tokens/s${left}`;
}

function workOn(root: RootMemory, doing: string): Work {
  return {
    title: `${doing} ${root.name}`,
    progress: () => {
      const { state, progress } = root.status;
      if (state === 'loading') return { message: 'Loading the model' };
      if ((state !== 'reading' && state !== 'updating') || progress === undefined) return undefined;
      const share = progress.bytes === 0 ? 1 : Math.min(1, progress.bytesRead / progress.bytes);
      return { message: progressMessage(progress), share };
    },
  };
}

/** Reading a root into its memory, and what that takes. */
export function reading(
  workspace: Workspace,
): UseCases<'locret/read' | 'locret/update' | 'locret/stopReading' | 'locret/plan'> {
  return {
    'locret/read': {
      parse: readParams,
      work: ({ root }) => workOn(workspace.root(root), 'Reading'),
      handle: async ({ root: uri, fresh = false }, { signal }) => {
        const root = workspace.root(uri);
        await root.read({ fresh }, signal);
        return root.status;
      },
    },
    'locret/update': {
      parse: rootParams,
      work: ({ root }) => workOn(workspace.root(root), 'Updating'),
      handle: async ({ root: uri }, { signal }) => {
        const root = workspace.root(uri);
        await root.update(signal);
        return root.status;
      },
    },
    'locret/stopReading': {
      parse: stopReadingParams,
      handle: async ({ root: uri, keep }) => {
        const root = workspace.root(uri);
        await root.stopReading(keep);
        return root.status;
      },
    },
    'locret/plan': {
      parse: planParams,
      handle: async ({ root: uri, model }) => {
        const root = workspace.root(uri);
        const planned = model === undefined ? (await root.plan()).planned : await root.planWith(model);
        const { bytes, notices } = planned.plan;
        return { model: planned.model.name, rows: planRows(planned.model, planned.plan), bytes, notices };
      },
    },
  };
}
