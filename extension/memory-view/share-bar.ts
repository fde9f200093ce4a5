interface BarColors {
  readonly fill: string;
  readonly track: string;
}

/** Icons are pictures of fixed colours: one for light and one for dark themes, high contrast among them. */
const colors: Readonly<Record<'light' | 'dark', BarColors>> = {
  light: { fill: '#b87208', track: '#00000026' },
  dark: { fill: '#e8a33d', track: '#ffffff2e' },
};

/** Pixels of a bar from end to end. */
const barLength = 15;
/** Pixels of the longest mark in the gutter. */
const markLength = 10;

const drawn = new Map<string, string>();

function picture(content: string): string {
  let uri = drawn.get(content);
  if (uri === undefined) {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16">${content}</svg>`;
    uri = `data:image/svg+xml,${encodeURIComponent(svg)}`;
    drawn.set(content, uri);
  }
  return uri;
}

/**
 * A small bar that is filled as far as a share says, as a picture to be put into an address.
 * @param fill 0..1; anything above 0 is to be seen
 * @returns `data:` URI of an SVG of 16 × 16 pixels
 */
export function shareBar(fill: number, theme: 'light' | 'dark'): string {
  const length = Math.ceil(Math.min(1, fill) * barLength);
  const bar = (width: number, color: string): string =>
    width === 0
      ? ''
      : `<rect x=".5" y="5" width="${width}" height="6" rx="${Math.min(2, width / 2)}" fill="${color}"/>`;
  return picture(bar(barLength, colors[theme].track) + bar(length, colors[theme].fill));
}

/**
 * A mark for the gutter beside a line: it grows away from the text, and equal lines below each other make one piece.
 * @param fill 0..1
 * @returns `data:` URI of an SVG of 16 × 16 pixels
 */
export function shadeMark(fill: number, theme: 'light' | 'dark'): string {
  const length = Math.max(1, Math.round(Math.min(1, fill) * markLength));
  const opacity = (0.5 + fill / 2).toFixed(2);
  const { fill: color } = colors[theme];
  return picture(
    `<rect x="${16 - length}" y="0" width="${length}" height="16" fill="${color}" fill-opacity="${opacity}"/>`,
  );
}
