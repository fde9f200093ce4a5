import type { GraphPurpose } from '../backends/processor/graph/graph-session.js';

/** What a graph does in a training. @param doing as behind "failed while" */
export function trainingPurpose(doing: string): GraphPurpose {
  return {
    doing,
    remedy:
      'Start the training again; it goes on at its last checkpoint. If it happens again, report it with this message.',
  };
}
