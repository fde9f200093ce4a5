/** Control signs other than line ends and tabs, and signs that turn the direction of the text around them. */
const hiddenSigns = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu;

/** Text in which nothing hides: signs that are not seen but change what is seen become U+FFFD. */
export function visibleText(text: string): string {
  return text.replace(hiddenSigns, (sign) => (sign === '\n' || sign === '\t' ? sign : '\uFFFD'));
}

/** The same for what is shown on one line, such as the name of a file. */
export function visibleLine(text: string): string {
  return text.replace(hiddenSigns, '\uFFFD');
}
