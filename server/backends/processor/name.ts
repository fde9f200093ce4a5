/** The name of this backend. */
export const processorName = 'cpu';
