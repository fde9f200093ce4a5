// The platforms that a package is made for, and what of onnxruntime-node each of them loads: its binding and the CPU
// runtime. The libraries beside them (DirectML, the shader compilers) are loaded by GPU providers only.

/**
 * VS Code's names of platforms. There is no `darwin-x64`: onnxruntime-node has no library for macOS on Intel processors.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const nativeFiles = {
  'linux-x64': ['linux/x64/onnxruntime_binding.node', 'linux/x64/libonnxruntime.so.1'],
  'linux-arm64': ['linux/arm64/onnxruntime_binding.node', 'linux/arm64/libonnxruntime.so.1'],
  'darwin-arm64': ['darwin/arm64/onnxruntime_binding.node', 'darwin/arm64/libonnxruntime.1.dylib'],
  'win32-x64': ['win32/x64/onnxruntime_binding.node', 'win32/x64/onnxruntime.dll'],
  'win32-arm64': ['win32/arm64/onnxruntime_binding.node', 'win32/arm64/onnxruntime.dll'],
};

export const targetNames = Object.keys(nativeFiles);

/** The GPU engine in dist/, and the targets that it is built for: each on its own system. */
export const gpuEngine = 'locret-cuda.node';
export const gpuTargets = ['linux-x64', 'win32-x64'];

/** The target of the machine that this runs on. */
export const ownTarget = `${process.platform}-${process.arch}`;

/**
 * The native files of a target, relative to onnxruntime-node's package.
 * @param {string} target
 * @throws Error when no package can be made for it
 */
export function nativeFilesOf(target) {
  const files = nativeFiles[target];
  if (files !== undefined) return files.map((file) => `bin/napi-v6/${file}`);
  throw new Error(`No package can be made for "${target}"; the targets are ${targetNames.join(', ')}.`);
}
