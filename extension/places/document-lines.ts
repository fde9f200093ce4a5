/** The lines of a text as editors count them, without their ends. */
export function linesOfText(text: string): readonly string[] {
  return text.split(/\r\n|\r|\n/);
}
