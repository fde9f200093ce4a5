/**
 * How what all KV heads may keep is divided between them. `even`: every head keeps the budget (Locret). `pyramid`: lower
 * layers keep more than upper ones (PyramidKV). `shared`: the KV heads of a layer share its budget by score (AdaKV).
 */
export type AllocationName = 'even' | 'pyramid' | 'shared';

export const allocationNames: readonly AllocationName[] = ['even', 'pyramid', 'shared'];
