import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TrainingEstimate } from '../contract/training.js';
import { errorFromMessage } from '../engine/worker-messages.js';
import { LocretError } from '../errors.js';
import type { TrainedHeads, TrainingSettings } from './train-heads.js';
import type { FromTraining, ToTraining, TrainingEvent, TrainingOutcome } from './training-messages.js';

/** The program: beside this module's bundle in the product; where a test imported the source, what the build left. */
function trainingProgram(): string {
  const isSource = import.meta.url.endsWith('.ts');
  return fileURLToPath(new URL(isSource ? '../../dist/training-process.js' : './training-process.js', import.meta.url));
}

function endedEarly(how: string): LocretError {
  return new LocretError(
    'engine-failed',
    `The process that trained ended by itself (${how}).`,
    'Start the training again: it goes on at its last checkpoint; if it ends again, choose a smaller model or shorter samples.',
  );
}

/**
 * Has a process of its own fulfil an order, so that this one stays free, and the memory that was taken is given back.
 * @param signal when it fires, the process is told to pause
 */
function inProcess(
  order: Extract<ToTraining, { kind: 'train' | 'estimate' }>,
  signal: AbortSignal,
  onEvent: (event: TrainingEvent) => void,
): Promise<Exclude<TrainingOutcome, { kind: 'failed' }>> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = fork(trainingProgram(), [], {
      // The standard output of this process may be an editor's connection.
      stdio: ['ignore', 2, 'inherit', 'ipc'],
    });
    const tell = (message: ToTraining): void => {
      if (child.connected) child.send(message);
    };
    const pause = (): void => {
      tell({ kind: 'pause' });
    };
    signal.addEventListener('abort', pause, { once: true });
    let outcome: TrainingOutcome | undefined;
    child.on('message', (message: FromTraining) => {
      switch (message.kind) {
        case 'trained':
        case 'estimated':
        case 'failed':
          outcome = message;
          break;
        case 'begin':
        case 'phase':
        case 'progress':
        case 'quality':
          onEvent(message);
      }
    });
    child.on('error', (error) => {
      signal.removeEventListener('abort', pause);
      reject(endedEarly(error.message));
    });
    // All its messages were read before this.
    child.on('close', (code, endSignal) => {
      signal.removeEventListener('abort', pause);
      if (outcome === undefined) reject(endedEarly(endSignal ?? `exit code ${String(code)}`));
      else if (outcome.kind === 'failed') reject(errorFromMessage(outcome.error));
      else resolve(outcome);
    });
    tell(order);
    if (signal.aborted) pause();
  });
}

function unexpected(kind: string): LocretError {
  return new LocretError(
    'engine-failed',
    `The process that trains answered ${kind}.`,
    'Build the product again: its parts are not of one version.',
  );
}

/**
 * `trainHeads` in a process of its own; the signal pauses it.
 * @throws LocretError what `trainHeads` throws, with its code and remedy; engine-failed when the process ends by itself
 */
export async function trainInProcess(
  settings: TrainingSettings,
  signal: AbortSignal,
  onEvent: (event: TrainingEvent) => void,
): Promise<TrainedHeads> {
  const outcome = await inProcess({ kind: 'train', settings }, signal, onEvent);
  if (outcome.kind !== 'trained') throw unexpected(outcome.kind);
  return outcome.trained;
}

/**
 * `estimateTraining` in a process of its own.
 * @throws LocretError what `estimateTraining` throws, with its code and remedy; engine-failed when the process ends by
 *   itself
 */
export async function estimateInProcess(settings: TrainingSettings, signal: AbortSignal): Promise<TrainingEstimate> {
  const outcome = await inProcess({ kind: 'estimate', settings }, signal, () => undefined);
  if (outcome.kind !== 'estimated') throw unexpected(outcome.kind);
  return outcome.estimate;
}
