/** A text that is written over several lines, as one paragraph: terminals differ in width. */
export function oneParagraph(text: string): string {
  return text.trim().replaceAll('\n', ' ');
}
