/** Lengths a bar can have, without the empty one: as many as it has pixels inside. */
const lengths = 14;

interface BarColors {
  readonly fill: string;
  readonly frame: string;
}

/** Icons are pictures of fixed colours: one for light and one for dark themes, high contrast among them. */
const colors: Readonly<Record<'light' | 'dark', BarColors>> = {
  light: { fill: '#7a3fb0', frame: '#7a7a7a' },
  dark: { fill: '#c58af9', frame: '#8f8f8f' },
};

const drawn = new Map<string, string>();

function pictureOf(key: string, draw: () => string): string {
  let uri = drawn.get(key);
  if (uri === undefined) {
    uri = `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16">${draw()}</svg>`)}`;
    drawn.set(key, uri);
  }
  return uri;
}

/**
 * A small bar that is filled as far as a share says, as a picture to be put into an address.
 * @param fill 0..1; anything above 0 is to be seen
 * @returns `data:` URI of an SVG of 16 × 16 pixels
 */
export function shareBar(fill: number, theme: 'light' | 'dark'): string {
  const length = Math.min(lengths, Math.ceil(fill * lengths));
  const { fill: color, frame } = colors[theme];
  return pictureOf(`bar ${theme} ${length}`, () => {
    const outline = `<rect x=".5" y="5.5" width="15" height="6" rx="2" fill="none" stroke="${frame}" stroke-opacity=".6"/>`;
    return length === 0
      ? outline
      : `${outline}<rect x="1" y="6" width="${length}" height="5" rx="1.5" fill="${color}"/>`;
  });
}

/**
 * A bar for the gutter beside a line: it grows from the text to the left, and lines with the same share make one piece.
 * @param fill 0..1
 * @returns `data:` URI of an SVG of 16 × 16 pixels
 */
export function shadeMark(fill: number, theme: 'light' | 'dark'): string {
  const length = Math.max(2, Math.round(fill * 12));
  return pictureOf(
    `mark ${theme} ${length}`,
    () => `<rect x="${16 - length}" y="0" width="${length}" height="16" fill="${colors[theme].fill}"/>`,
  );
}
