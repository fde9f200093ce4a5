import { describe, expect, it } from 'vitest';
import {
  historyOf,
  readThreadRecords,
  recordsToKeep,
  type ThreadRecord,
  type ThreadTurn,
} from '../../../../extension/inline/thread-record.js';

const turn: ThreadTurn = { question: 'Why?', answer: 'So.', shown: 'So.\n\n- a:1', asked: 1000 };
const record: ThreadRecord = {
  root: 'file:///r',
  path: 'src/a.ts',
  line: 3,
  endLine: 5,
  firstLine: 'function a() {',
  isResolved: false,
  turns: [turn],
};

describe('readThreadRecords', () => {
  it('reads what was kept', () => {
    expect(readThreadRecords(JSON.parse(JSON.stringify([record])))).toEqual([record]);
  });

  it.each([undefined, null, 'text', { 0: record }])('takes %j for no threads', (value) => {
    expect(readThreadRecords(value)).toEqual([]);
  });

  it('leaves out what is no thread and keeps the others', () => {
    const broken = [null, {}, { ...record, line: 0 }, { ...record, turns: [{}] }, { ...record, isResolved: 'no' }];
    expect(readThreadRecords([...broken, record])).toEqual([record]);
  });

  it('lets no thread end before it begins', () => {
    expect(readThreadRecords([{ ...record, endLine: 1 }])).toEqual([{ ...record, endLine: 3 }]);
  });
});

describe('recordsToKeep', () => {
  it('keeps the hundred threads in which was asked last, oldest first', () => {
    const records = Array.from({ length: 130 }, (_, asked) => ({ ...record, turns: [{ ...turn, asked }] }));
    const kept = recordsToKeep(records.toReversed());
    expect(kept).toHaveLength(100);
    expect(kept[0]?.turns[0]?.asked).toBe(30);
    expect(kept.at(-1)?.turns[0]?.asked).toBe(129);
  });

  it('keeps no thread in which nothing was asked', () => {
    expect(recordsToKeep([{ ...record, turns: [] }])).toEqual([]);
  });

  it('keeps the newest turns of a thread', () => {
    const turns = Array.from({ length: 50 }, (_, asked) => ({ ...turn, asked }));
    expect(recordsToKeep([{ ...record, turns }])[0]?.turns.map(({ asked }) => asked)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 30),
    );
  });
});

describe('historyOf', () => {
  it('leaves out what was not answered in words', () => {
    expect(historyOf([turn, { ...turn, answer: '' }])).toEqual([{ question: 'Why?', answer: 'So.' }]);
  });
});
