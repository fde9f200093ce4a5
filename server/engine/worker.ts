import { parentPort } from 'node:worker_threads';
import { createOnnxEngine } from './onnx-engine.js';
import { serveEngine } from './serve-engine.js';

if (parentPort === null) throw new Error('This program is a worker thread of locret; it does not run by itself.');
serveEngine(createOnnxEngine, parentPort);
