/*
 * Loaded into a process by the first line of a program under test: writes down that the program was there and every
 * connection to other machines that anything in its process wants, one JSON object a line, into LOCRET_TEST_CONNECTIONS.
 */
import dgram from 'node:dgram';
import dns from 'node:dns';
import { appendFileSync } from 'node:fs';
import net from 'node:net';

const file = process.env['LOCRET_TEST_CONNECTIONS'];
const loopback = /^(localhost|127\.|::1$|::ffff:127\.)/;

/** @param {string | undefined} target host, with its port where there is one */
function record(target) {
  if (file === undefined) return;
  Error.stackTraceLimit = 50;
  const { stack } = new Error('asked for by');
  appendFileSync(file, `${JSON.stringify({ argv: process.argv, target, stack })}\n`);
}

/** @param {unknown} value */
function isObject(value) {
  return typeof value === 'object' && value !== null;
}

/** @param {unknown[]} values of `connect`: a port and a host, options, or both as Node.js itself arranges them */
function targetOf([first, second]) {
  const options = /** @type {unknown} */ (Array.isArray(first) ? first[0] : first);
  const { host, port, path } = isObject(options)
    ? { host: undefined, port: undefined, path: undefined, ...options }
    : { host: second, port: options, path: undefined };
  return typeof path === 'string' ? undefined : `${typeof host === 'string' ? host : 'localhost'}:${String(port)}`;
}

/**
 * Has something done before each call of a method.
 * @param {object} prototype
 * @param {string} method
 * @param {(values: unknown[]) => void} before
 */
function watch(prototype, method, before) {
  const original = /** @type {unknown} */ (Reflect.get(prototype, method));
  if (typeof original !== 'function') throw new TypeError(`There is no method ${method}.`);
  /** @type {ProxyHandler<Function>} */
  const handler = {
    apply(target, caller, values) {
      before(values);
      return /** @type {unknown} */ (Reflect.apply(target, caller, values));
    },
  };
  Reflect.set(prototype, method, new Proxy(original, handler));
}

watch(net.Socket.prototype, 'connect', (values) => {
  const wanted = targetOf(values);
  if (wanted !== undefined && !loopback.test(wanted)) record(wanted);
});
watch(dgram.Socket.prototype, 'send', () => {
  record('a datagram');
});
watch(dns, 'lookup', ([host]) => {
  if (typeof host === 'string' && !loopback.test(host)) record(host);
});

record(undefined);
