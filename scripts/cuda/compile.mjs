// Compiles sources to objects: only what has changed, a few at once.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * @typedef {object} Step
 * @property {string} source what is compiled, for messages
 * @property {string} target the file that comes out
 * @property {string[]} inputs files it is made of, as far as they are known before
 * @property {string | undefined} dependencies the file in which the compiler lists what it read, if it does
 * @property {(target: string) => string[]} command the command that writes the file it is given
 */

/**
 * Does the steps that are not up to date, at most `jobs` at once. Throws after the first that fails, with what the
 * compiler said. Two builds may run at the same time: a file is written under another name and renamed.
 * @param {readonly Step[]} steps
 * @param {{ cwd: string, jobs: number }} options
 */
export async function runSteps(steps, { cwd, jobs }) {
  const waiting = steps.filter((step) => !isCurrent(step, cwd));
  /** @type {Error[]} */
  const failures = [];
  const worker = async () => {
    for (let step = waiting.shift(); step !== undefined && failures.length === 0; step = waiting.shift()) {
      try {
        await runStep(step, cwd);
      } catch (error) {
        failures.push(error instanceof Error ? error : new Error(String(error)));
      }
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  const [first] = failures;
  if (first !== undefined) throw first;
}

/** What the compiler said when it made the file: resource use of kernels, for instance. */
export function compilerOutput(/** @type {string} */ target) {
  return readFileSync(`${target}.log`, 'utf8');
}

/**
 * @param {Step} step
 * @param {string} cwd
 */
function isCurrent(step, cwd) {
  if (!existsSync(step.target) || !existsSync(`${step.target}.command`)) return false;
  if (readFileSync(`${step.target}.command`, 'utf8') !== step.command(step.target).join('\n')) return false;
  const made = statSync(step.target).mtimeMs;
  const inputs = [...step.inputs, ...listedDependencies(step.dependencies)];
  return inputs.every((input) => {
    const file = path.resolve(cwd, input);
    return existsSync(file) && statSync(file).mtimeMs < made;
  });
}

/**
 * The files that a dependency file in the form of make names.
 * @param {string | undefined} file
 */
function listedDependencies(file) {
  if (file === undefined) return [];
  if (!existsSync(file)) return [file];
  const text = readFileSync(file, 'utf8').replaceAll('\\\n', ' ').replaceAll('\\\r\n', ' ');
  // The rule is "target: dependency dependency …"; a drive letter's colon has no space behind it.
  return text
    .slice(text.search(/:\s/) + 1)
    .split(/(?<!\\)\s+/)
    .filter((name) => name !== '');
}

/**
 * @param {Step} step
 * @param {string} cwd
 * @returns {Promise<void>}
 */
function runStep(step, cwd) {
  mkdirSync(path.dirname(step.target), { recursive: true });
  const partial = path.join(path.dirname(step.target), `${process.pid}-${path.basename(step.target)}`);
  const [program = '', ...argv] = step.command(partial);
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (/** @type {Buffer} */ data) => {
      output += data.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', reject);
    child.on('close', (status) => {
      if (status !== 0) {
        reject(new Error(`${step.source} failed (${program}):\n${output}`));
        return;
      }
      renameSync(partial, step.target);
      writeFileSync(`${step.target}.log`, output);
      writeFileSync(`${step.target}.command`, step.command(step.target).join('\n'));
      process.stdout.write(`${step.source}  ${((performance.now() - begun) / 1000).toFixed(1)} s\n`);
      resolve();
    });
  });
}
