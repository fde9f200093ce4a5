import type { StructureName } from '../../contract/words.js';
import type { LoadedModel } from '../../model/model.js';
import { formatBytes, formatCount } from '../../quantities.js';
import type { MemoryPlan } from './plan.js';

/** A line of a plan: what it is called, its value, what it is. */
export type PlanRow = readonly [name: string, value: string, note: string];

/** Which heads decide, for people: `trained retaining heads (labels: published)`. */
function headsText({ heads, headLabels }: MemoryPlan): string {
  if (heads === undefined) return 'no retaining heads';
  return headLabels === undefined ? 'trained retaining heads' : `trained retaining heads (labels: ${headLabels})`;
}

function allocationRow({ cache: { uneven } }: MemoryPlan): PlanRow {
  if (uneven === undefined) return ['allocation', 'even', 'every KV head keeps the budget'];
  const most = formatCount(uneven.longest);
  return ['allocation', uneven.allocation, `the budget on average: the lowest layer keeps ${most}, upper ones less`];
}

const structureNotes: Readonly<Record<StructureName, string>> = {
  none: 'nothing stays before all else',
  headers: 'the paths of files stay before all else',
  definitions: 'the paths of files and the lines that name definitions stay before all else',
};

/** The plan for people, line by line. */
export function planRows(model: LoadedModel, plan: MemoryPlan): readonly PlanRow[] {
  const { cache, bytes, cachePrecision } = plan;
  const { shape } = model;
  const quantized = cachePrecision === 'full' ? '' : `, ${cachePrecision}`;
  const units = (count: number): string => (count === Infinity ? 'all' : formatCount(count));
  return [
    ['model', model.name, `${shape.family}, ${shape.layers.length} layers × ${shape.kvHeads} KV heads`],
    ['policy', plan.policy, headsText(plan)],
    ['window', units(plan.window), 'positions the model handles well'],
    ['budget', units(cache.budget), 'cache units every KV head keeps of the repository'],
    allocationRow(plan),
    ['structure', plan.structure, structureNotes[plan.structure]],
    ['chunk', units(cache.chunk), 'tokens read per pass'],
    ['stabilizers', units(cache.stabilizers), 'newest units exempt from an eviction'],
    ['local', units(plan.local), 'last tokens, never evicted'],
    ['pinned', units(cache.pinned), "tokens of the prompt's beginning, never evicted"],
    ['behind', units(cache.capacity - cache.budget - plan.local), 'units for recall, question and answer'],
    ['runs on', plan.backend.deviceName, plan.backend.reason],
    ['weights', formatBytes(bytes.weights), plan.precision],
    ['cache', formatBytes(bytes.cache), `fixed, however large the repository is${quantized}`],
    ['activations', formatBytes(bytes.activations), 'of one pass'],
    ...(bytes.program === 0 ? [] : ([['program', formatBytes(bytes.program), '']] as const)),
    ['peak', formatBytes(bytes.peak), `of ${formatBytes(bytes.free)} free`],
  ];
}

/** The plan as a table for terminals. */
export function renderPlan(model: LoadedModel, plan: MemoryPlan): string {
  const rows = planRows(model, plan);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map(([name, value, note]) =>
      `${name.padEnd(widths[0] ?? 0)}  ${value.padStart(widths[1] ?? 0)}  ${note}`.trimEnd(),
    )
    .join('\n');
}
