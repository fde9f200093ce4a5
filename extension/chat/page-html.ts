export interface PageSources {
  /** Address of the page's script and of its style. */
  readonly script: string;
  readonly style: string;
  /** Where VS Code serves the extension's files from, for the content security policy. */
  readonly cspSource: string;
  /** Unguessable; only scripts that carry it run. */
  readonly nonce: string;
  /** BCP 47 tag. */
  readonly language: string;
  readonly title: string;
}

function attribute(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/**
 * The document of the chat panel. Its policy lets in the one script with the nonce, and styles and fonts of the
 * extension: no images, no requests, no styles or handlers in attributes.
 */
export function pageHtml({ script, style, cspSource, nonce, language, title }: PageSources): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource}`,
    `font-src ${cspSource}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${attribute(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${attribute(policy)}">
<link rel="stylesheet" href="${attribute(style)}">
<title>${attribute(title)}</title>
</head>
<body>
<script nonce="${attribute(nonce)}" src="${attribute(script)}"></script>
</body>
</html>
`;
}
