import { parentPort } from 'node:worker_threads';
import { createEngine } from './create-engine.js';
import { serveEngine } from '../engine/serve-engine.js';

if (parentPort === null) throw new Error('This program is a worker thread of locret; it does not run by itself.');
serveEngine(createEngine, parentPort);
