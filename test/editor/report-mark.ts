/** Begins what the tests in the extension host report, among all that is written to its console. */
export const reportMark = '[test] ';
