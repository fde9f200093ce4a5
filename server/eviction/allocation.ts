/**
 * How what all KV heads may keep is divided between them. `even`: every head keeps the budget (Locret). `pyramid`: lower
 * layers keep more than upper ones (PyramidKV).
 */
export type AllocationName = 'even' | 'pyramid';

export const allocationNames: readonly AllocationName[] = ['even', 'pyramid'];
