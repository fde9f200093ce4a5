import { constants, existsSync } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { isLocretError, LocretError } from '../errors.js';
import { bundledModels, resolveModel } from '../model/catalog.js';
import { openModelSource } from '../model/open-model-source.js';
import type {
  PausedTrainingResult,
  StopTrainingParams,
  TrainingPlanResult,
  TrainingStatus,
  TrainParams,
  TrainResult,
} from '../contract/protocol.js';
import { checkpointFile, discardTraining, readPausedTraining } from '../training/checkpoint-file.js';
import { estimateInProcess, trainInProcess } from '../training/remote-training.js';
import type { TrainingSettings } from '../training/train-heads.js';
import type { TrainingEvent } from '../training/training-messages.js';
import { completeOptions } from '../training/training-options.js';
import { cacheFolder } from './cache-folder.js';
import { headsFolder, modelFolders } from './model-folders.js';
import { expandHome, type ChosenSettings } from './settings.js';

export interface TrainingSurroundings {
  readonly settings: () => ChosenSettings;
  /** Frees the memory that the model in use takes; what is being read is paused. */
  readonly unload: () => Promise<void>;
  /** Called with the file that finished heads were written to. */
  readonly onHeads: (file: string) => Promise<void>;
  /** Called when a training began or ended. */
  readonly onChange: () => void;
  /** Called when a training came further. */
  readonly onProgress: (event: TrainingEvent) => void;
}

/** A training, or an estimate of one, that is under way. */
interface Running {
  readonly stop: AbortController;
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>;
  /** Whether its progress is given up when it ends. */
  discards: boolean;
  /** Undefined for an estimate. */
  status: TrainingStatus | undefined;
}

/** The training of retaining heads: at most one at a time, in a process of its own. */
export class HeadTraining {
  private running: Running | undefined;

  constructor(private readonly surroundings: TrainingSurroundings) {}

  /** The training that runs. */
  get status(): TrainingStatus | undefined {
    return this.running?.status;
  }

  /**
   * Tells what a training will take.
   * @throws LocretError what {@link train} throws
   */
  async plan(params: TrainParams, signal: AbortSignal): Promise<TrainingPlanResult> {
    return this.alone(signal, undefined, async (running) => {
      const settings = await this.settingsOf(params);
      await this.surroundings.unload();
      const estimate = await estimateInProcess(settings, running.stop.signal);
      const { out } = settings;
      return { ...estimate, model: openModelSource(settings.model).name, out, replaces: existsSync(out) };
    });
  }

  /**
   * Trains, or goes on with a training that is paused. The signal pauses it.
   * @throws LocretError not-trusted; training-under-way; engine-failed when its process ends by itself; what `trainHeads`
   *   throws
   */
  async train(params: TrainParams, signal: AbortSignal): Promise<TrainResult> {
    this.checkTrust();
    const settings = await this.settingsOf(params);
    const { out, steps } = settings;
    const model = openModelSource(settings.model).name;
    const step = settings.fresh ? 0 : (this.paused(out)?.step ?? 0);
    return this.alone(signal, { model, out, phase: 'loading', step, steps }, async (running) => {
      try {
        await this.surroundings.unload();
        const { course } = await trainInProcess(settings, running.stop.signal, (event) => {
          this.advance(running, event);
        });
        await this.surroundings.onHeads(out);
        return { end: 'finished', out, steps, course };
      } catch (error) {
        if (!isLocretError(error, 'cancelled')) throw error;
        if (running.discards) await discardTraining(out);
        const end = running.discards ? 'discarded' : 'paused';
        return { end, out, step: running.status?.step ?? step, steps };
      }
    });
  }

  /** Ends the training that runs and waits for its end, or gives one up that is paused. */
  async stop({ keep, out }: StopTrainingParams): Promise<void> {
    const { running } = this;
    if (running !== undefined && (out === undefined || out === running.status?.out)) {
      running.discards = !keep;
      running.stop.abort();
      await running.ended;
    } else if (!keep && out !== undefined) {
      await discardTraining(out);
    }
  }

  /** How far the training came that is paused beside a file. @throws LocretError heads-corrupt */
  paused(out: string): PausedTrainingResult | null {
    const paused = readPausedTraining(checkpointFile(out));
    return paused === undefined ? null : { step: paused.steps, steps: paused.of };
  }

  /** Pauses what runs and waits for its end. */
  async close(): Promise<void> {
    await this.stop({ keep: true });
  }

  /** Runs a task unless another one runs. */
  private async alone<Result>(
    signal: AbortSignal,
    status: TrainingStatus | undefined,
    task: (running: Running) => Promise<Result>,
  ): Promise<Result> {
    this.checkTrust();
    this.checkFree();
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const running: Running = { stop: new AbortController(), ended, discards: false, status };
    const stop = (): void => {
      running.stop.abort();
    };
    this.running = running;
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    this.surroundings.onChange();
    try {
      return await task(running);
    } finally {
      signal.removeEventListener('abort', stop);
      this.running = undefined;
      end();
      this.surroundings.onChange();
    }
  }

  private checkTrust(): void {
    if (this.surroundings.settings().trusted) return;
    throw new LocretError(
      'not-trusted',
      'Retaining heads are trained only on folders that you trust.',
      'Trust the folders of this window first.',
    );
  }

  private checkFree(): void {
    if (this.running === undefined) return;
    const { status } = this.running;
    throw new LocretError(
      'training-under-way',
      status === undefined
        ? 'How long a training takes is being measured.'
        : `Heads for ${status.model} are being trained (step ${status.step} of ${status.steps}).`,
      'Pause that first, or wait for its end.',
    );
  }

  private advance(running: Running, event: TrainingEvent): void {
    const { status } = running;
    if (status === undefined) return;
    switch (event.kind) {
      case 'begin':
        running.status = { ...status, step: event.begin.step };
        break;
      case 'phase':
        running.status = { ...status, phase: event.phase };
        break;
      case 'progress': {
        const { step, loss, secondsLeft } = event.progress;
        running.status = { ...status, step, loss: loss.regression, secondsLeft };
        break;
      }
      case 'quality':
        running.status = { ...status, overlap: event.quality.overlap };
    }
    this.surroundings.onProgress(event);
  }

  private async settingsOf(params: TrainParams): Promise<TrainingSettings> {
    const { repositories, fresh = false } = params;
    const model = await resolveModel(expandHome(params.model ?? this.surroundings.settings().model), modelFolders());
    const options = completeOptions(params.options ?? {});
    const out = params.out ?? (await usualFile(model, `${options.labels}-${options.input}.safetensors`));
    return { ...options, model, repositories, out, fresh, cacheFolder: cacheFolder() };
  }
}

/** Where heads go when nothing is said: beside their model, unless updates of the program would take them away with it. */
async function usualFile(model: string, name: string): Promise<string> {
  const source = openModelSource(model);
  const beside = source.beside(`heads-${name}`);
  const isBundled = path.dirname(model) === bundledModels();
  const isWritable = await access(path.dirname(beside), constants.W_OK).then(
    () => true,
    () => false,
  );
  if (isWritable && !isBundled) return beside;
  await mkdir(headsFolder(), { recursive: true });
  return path.join(headsFolder(), `${source.name}-${name}`);
}
