import os from 'node:os';
import { errorToMessage } from '../engine/worker-messages.js';
import { forbidTelemetry } from '../engine/telemetry.js';
import { estimateTraining } from './estimate-training.js';
import { trainHeads, type TrainingSettings } from './train-heads.js';
import type { FromTraining, ToTraining, TrainingOutcome } from './training-messages.js';

// The program of the process that trains: it takes one order from its parent and ends when that is done. When the parent
// is gone it ends as if it had been told to pause, so that nothing is lost and nothing runs on unseen.
if (process.send === undefined) throw new Error('This program is a part of locret; it does not run by itself.');
const send = process.send.bind(process);
forbidTelemetry();
try {
  // Questions are answered first.
  os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL);
} catch {
  // Some systems allow no process to change its priority; training is then only less polite.
}

const pause = new AbortController();

function tell(message: FromTraining): void {
  if (process.connected) send(message);
}

async function fulfil(kind: 'train' | 'estimate', settings: TrainingSettings): Promise<TrainingOutcome> {
  const { signal } = pause;
  try {
    if (kind === 'estimate') return { kind: 'estimated', estimate: await estimateTraining(settings, { signal }) };
    const trained = await trainHeads(settings, {
      signal,
      onBegin: (begin) => {
        tell({ kind: 'begin', begin });
      },
      onPhase: (phase) => {
        tell({ kind: 'phase', phase });
      },
      onProgress: (progress) => {
        tell({ kind: 'progress', progress });
      },
      onQuality: (quality, step) => {
        tell({ kind: 'quality', quality, step });
      },
    });
    return { kind: 'trained', trained };
  } catch (error) {
    return { kind: 'failed', error: errorToMessage(error) };
  }
}

async function obey(kind: 'train' | 'estimate', settings: TrainingSettings): Promise<void> {
  const outcome = await fulfil(kind, settings);
  if (!process.connected) process.exit(0);
  send(outcome, () => {
    process.exit(0);
  });
}

// Ctrl-C in a terminal reaches every process that it started: the parent says what is to be done.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => {
  pause.abort();
});
process.on('message', (message: ToTraining) => {
  if (message.kind === 'pause') pause.abort();
  else void obey(message.kind, message.settings);
});
