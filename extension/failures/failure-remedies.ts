import type { RequestFailure } from '../sidecar/sidecar.js';

/** What can be offered beside a failure; each is a command. */
export type Remedy =
  'restart' | 'showLog' | 'chooseModel' | 'showPlan' | 'openSettings' | 'read' | 'pauseTraining' | 'manageTrust';

/** What helps against a failure, the best first. */
export function remediesFor(code: RequestFailure['code']): readonly Remedy[] {
  switch (code) {
    case 'sidecar-stopped':
      return ['restart', 'showLog'];
    case 'model-not-found':
    case 'model-unsupported':
    case 'model-corrupt':
    case 'tokenizer-unsupported':
    case 'template-failed':
    case 'window-too-small':
      return ['chooseModel'];
    case 'heads-corrupt':
      return ['openSettings', 'chooseModel'];
    case 'training-under-way':
      return ['pauseTraining'];
    case 'not-trusted':
      return ['manageTrust'];
    case 'out-of-memory':
      return ['showPlan', 'chooseModel'];
    case 'invalid-argument':
      return ['openSettings'];
    case 'not-read':
    case 'snapshot-corrupt':
    case 'snapshot-foreign':
      return ['read'];
    case 'engine-failed':
    case 'unexpected':
      return ['showLog'];
    case 'repository-not-found':
    case 'repository-empty':
    case 'repository-unreadable':
    case 'question-too-long':
    case 'memory-locked':
    case 'disk-full':
    case 'cancelled':
      return [];
  }
}
