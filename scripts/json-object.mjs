/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Parses a JSON text that holds an object.
 * @param {string} text
 * @throws Error when it holds something else
 */
export function parseObject(text) {
  /** @type {unknown} */
  const value = JSON.parse(text);
  if (isObject(value)) return value;
  throw new TypeError(`Expected a JSON object, found ${text.slice(0, 60)}`);
}
