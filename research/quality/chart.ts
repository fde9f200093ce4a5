/** One line of a panel. */
export interface ChartLine {
  readonly name: string;
  /** By the panel's ticks; undefined where nothing was measured. */
  readonly values: readonly (number | undefined)[];
  readonly isOurs: boolean;
}

export interface ChartPanel {
  readonly title: string;
  readonly ticks: readonly string[];
  readonly lines: readonly ChartLine[];
  /** A dashed line across. */
  readonly level?: { readonly name: string; readonly value: number };
}

const size = { panel: 360, height: 330, left: 44, right: 150, top: 34, bottom: 40 };
const colours = [
  '#4477aa',
  '#66ccee',
  '#228833',
  '#aa8800',
  '#ee6677',
  '#aa3377',
  '#777777',
  '#885522',
  '#335566',
  '#bb5566',
  '#009988',
  '#994455',
  '#997700',
  '#6699cc',
  '#004488',
];
/** Least distance of two names, so that they can be read. */
const lineHeight = 12;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** Moves names apart that would overlap, from above; all of them up where the last one would stand below the panel. */
function spreadOut(heights: readonly number[]): number[] {
  const order = heights.map((_, i) => i).sort((a, b) => (heights[a] ?? 0) - (heights[b] ?? 0));
  const placed: number[] = [];
  let free = -Infinity;
  for (const i of order) {
    free = Math.max(heights[i] ?? 0, free);
    placed[i] = free;
    free += lineHeight;
  }
  const below = Math.max(0, ...placed.map((height) => height - (size.height - lineHeight)));
  return placed.map((height) => height - below);
}

function drawPanel({ title, ticks, lines, level }: ChartPanel): string {
  const largest = Math.max(0.1, level?.value ?? 0, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const most = Math.min(1, Math.ceil(largest * 10) / 10);
  const inner = { width: size.panel - size.left - 8, height: size.height - size.top - size.bottom };
  const x = (tick: number): number => size.left + (inner.width * (tick + 0.5)) / ticks.length;
  const y = (value: number): number => size.top + inner.height * (1 - value / most);
  const ends = lines.map(({ values }) => y(values.findLast((value) => value !== undefined) ?? 0));
  const labels = spreadOut(ends);
  const grid = [0, most / 2, most].map(
    (value) =>
      `<line x1="${size.left}" x2="${size.left + inner.width}" y1="${y(value)}" y2="${y(value)}" class="grid"/>` +
      `<text x="${size.left - 6}" y="${y(value) + 4}" text-anchor="end">${Math.round(value * 100)} %</text>`,
  );
  const names = ticks.map(
    (tick, i) => `<text x="${x(i)}" y="${size.height - size.bottom + 18}" text-anchor="middle">${escaped(tick)}</text>`,
  );
  const across =
    level === undefined
      ? []
      : [
          `<line x1="${size.left}" x2="${size.left + inner.width}" y1="${y(level.value)}" y2="${y(level.value)}" class="level"/>`,
          `<text x="${size.left + 4}" y="${y(level.value) - 4}">${escaped(level.name)}</text>`,
        ];
  const drawn = lines.map(({ name, values, isOurs }, i) => {
    const colour = isOurs ? '#000000' : (colours[i % colours.length] ?? '#777777');
    const points = values.flatMap((value, tick) =>
      value === undefined ? [] : `${x(tick).toFixed(1)},${y(value).toFixed(1)}`,
    );
    const dots = points.map((point) => {
      const [cx = '', cy = ''] = point.split(',');
      return `<circle cx="${cx}" cy="${cy}" r="2.5" fill="${colour}"/>`;
    });
    return (
      `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="${isOurs ? 2.5 : 1.2}"/>` +
      dots.join('') +
      `<text x="${size.left + inner.width + 4}" y="${((labels[i] ?? 0) + 4).toFixed(1)}" fill="${colour}"` +
      `${isOurs ? ' font-weight="bold"' : ''}>${escaped(name)}</text>`
    );
  });
  return [
    `<text x="${size.left}" y="18" font-weight="bold">${escaped(title)}</text>`,
    ...grid,
    ...names,
    ...across,
    ...drawn,
  ].join('\n');
}

/** Shares by tick, a line per name, in panels side by side; an SVG document. */
export function drawChart(panels: readonly ChartPanel[], label: string): string {
  const step = size.panel + size.right;
  const width = step * panels.length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${size.height}" width="${width}" height="${size.height}" role="img" aria-label="${escaped(label)}">`,
    '<style>text { font: 11px sans-serif } .grid { stroke: #dddddd } .level { stroke: #333333; stroke-dasharray: 5 4 }</style>',
    `<rect width="${width}" height="${size.height}" fill="#ffffff"/>`,
    ...panels.map((panel, i) => `<g transform="translate(${i * step} 0)">\n${drawPanel(panel)}\n</g>`),
    '</svg>',
    '',
  ].join('\n');
}
