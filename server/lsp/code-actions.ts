import { CodeActionTriggerKind, type CodeAction, type CodeActionParams, type Connection } from 'vscode-languageserver';
import type { CodeActionCommands } from '../contract/protocol.js';
import { definitionAround } from '../repository/definition-around.js';
import type { DocumentOutlines } from '../service/document-outlines.js';
import { answering } from './response-errors.js';

/** Kinds of their own: these actions neither fix nor refactor anything. */
export const codeActionKinds = ['locret.ask', 'locret.explain'] as const;

function action<Name extends keyof CodeActionCommands>(
  title: string,
  kind: (typeof codeActionKinds)[number],
  command: Name,
  ...values: CodeActionCommands[Name]
): CodeAction {
  return { title, kind, command: { title, command, arguments: [...values] } };
}

/**
 * What can be asked at a place: a question about what is selected, or about the definition around the cursor, and what
 * that definition does. Nothing is offered unasked where nothing is selected, so that no light bulb stands on every line.
 */
async function actionsAt(outlines: DocumentOutlines, params: CodeActionParams): Promise<CodeAction[]> {
  const { range, context, textDocument } = params;
  const { uri } = textDocument;
  const isSelection = range.start.line !== range.end.line || range.start.character !== range.end.character;
  if (!isSelection && context.triggerKind === CodeActionTriggerKind.Automatic) return [];
  // A selection that ends before the first sign of a line does not mean that line.
  const endsBeforeLine = range.end.character === 0 && range.end.line > range.start.line;
  const line = range.start.line + 1;
  const endLine = range.end.line + (endsBeforeLine ? 0 : 1);
  const definition = definitionAround(await outlines.definitions(uri), line);
  const actions: CodeAction[] = [];
  if (isSelection) {
    actions.push(action('Ask Locret about the selection', 'locret.ask', 'locret.askSelection', { uri, line, endLine }));
  } else if (definition !== undefined) {
    const place = { uri, line: definition.line, endLine: definition.endLine };
    actions.push(action(`Ask Locret about ${definition.name}`, 'locret.ask', 'locret.askSelection', place));
  }
  if (definition !== undefined) {
    const place = { uri, line: definition.nameLine };
    actions.push(action(`Explain ${definition.name} with Locret`, 'locret.explain', 'locret.explainSymbol', place));
  }
  const only = context.only ?? [''];
  return actions.filter(({ kind = '' }) => only.some((wanted) => wanted === '' || `${kind}.`.startsWith(`${wanted}.`)));
}

/** Offers code actions; their commands are the client's. */
export function offerCodeActions(connection: Connection, outlines: DocumentOutlines): void {
  connection.onCodeAction(answering((params) => actionsAt(outlines, params)));
}
