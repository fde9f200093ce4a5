/**
 * Keeps onnxruntime from sending usage events to its makers, and from keeping an identity of this machine in the user's
 * cache folder: what is read here stays on this machine. The library looks at the process's own environment, of which
 * worker threads have a copy; so this is to be called on the main thread, before the library is first used.
 */
export function forbidTelemetry(): void {
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
}
