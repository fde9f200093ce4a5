/*
 * Stands in for @vscode/spdlog in the editor under test: the same interface, without native code, so that no compiler
 * is needed to install the editor and its log files are there to look at when a test fails.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';

export class Logger {
  /** @type {string} @readonly */
  #file;
  #level = 2;
  #formatted = true;

  /** @param {string} _type @param {string} _name @param {string} file */
  constructor(_type, _name, file) {
    this.#file = file;
    mkdirSync(path.dirname(file), { recursive: true });
  }

  /** @param {number} level @param {string} name @param {string} message */
  #write(level, name, message) {
    if (level < this.#level) return;
    const prefix = this.#formatted ? `${new Date().toISOString()} [${name}] ` : '';
    appendFileSync(this.#file, `${prefix}${message}${this.#formatted ? '\n' : ''}`);
  }

  /** @param {string} message */
  trace(message) {
    this.#write(0, 'trace', message);
  }

  /** @param {string} message */
  debug(message) {
    this.#write(1, 'debug', message);
  }

  /** @param {string} message */
  info(message) {
    this.#write(2, 'info', message);
  }

  /** @param {string} message */
  warn(message) {
    this.#write(3, 'warning', message);
  }

  /** @param {string} message */
  error(message) {
    this.#write(4, 'error', message);
  }

  /** @param {string} message */
  critical(message) {
    this.#write(5, 'critical', message);
  }

  getLevel() {
    return this.#level;
  }

  /** @param {number} level */
  setLevel(level) {
    this.#level = level;
  }

  clearFormatters() {
    this.#formatted = false;
  }

  setPattern() {
    this.#formatted = true;
  }

  /** Every message is in the file at once. */
  flush() {
    return undefined;
  }

  drop() {
    return undefined;
  }
}

/** @param {string} name @param {string} file */
export function createRotatingLogger(name, file) {
  return Promise.resolve(new Logger('rotating', name, file));
}

export const createAsyncRotatingLogger = createRotatingLogger;
export const version = 0;
export const setLevel = () => undefined;
export const setFlushOn = () => undefined;
