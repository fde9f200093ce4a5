import { parentPort } from 'node:worker_threads';
import { registerRivals } from '../../research/policies/register.js';
import { createEngine } from './index.js';
import { serveEngine } from '../engine/serve-engine.js';

if (parentPort === null) throw new Error('This program is a worker thread of locret; it does not run by itself.');
registerRivals();
serveEngine(createEngine, parentPort);
