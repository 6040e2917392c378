import { describe, expect, it } from 'vitest';
import { type AuditLoad, auditCost, auditCycle, pagesToAudit } from '../../src/sync/audit-cycle.ts';

const room = 900;

function load(shown: readonly number[], threads = 0, lively = 0): AuditLoad {
  return { channels: shown.map((n) => ({ rows: n, shown: n, isQuiet: false })), threads, lively };
}

describe('the cycle of audits', () => {
  it('pays for archived channels, which nothing else reads', () => {
    const quiet = { channels: [{ rows: 5, shown: 5, isQuiet: true }], threads: 0, lively: 0 };
    expect(pagesToAudit(quiet, room)).toBe(1);
    expect(auditCycle(quiet, { requests: 10, room }).histories).toBe(3);
  });

  it('is every run where one page holds each channel and the budget all of them', () => {
    expect(auditCycle(load([900, 5, 0]), { requests: 10, room })).toEqual({ histories: 1, threads: 1 });
  });

  it('gives small channels their turn when there are too many for one run', () => {
    const many = Array.from({ length: 100 }, () => 500);
    expect(auditCycle(load(many), { requests: 10, room }).histories).toBe(17);
  });

  it('follows from the pages of large channels and the budget', () => {
    expect(pagesToAudit(load([901, 9_000, 900]), room)).toBe(12);
    expect(auditCycle(load([90_000]), { requests: 10, room }).histories).toBe(10);
    expect(auditCycle(load([90_000]), { requests: 20, room }).histories).toBe(5);
  });

  it('leaves large channels alone for a while however large the budget is', () => {
    expect(auditCycle(load([2_000]), { requests: 1000, room }).histories).toBe(3);
  });

  it('lets threads rest, and takes longer where lively ones use up to half of the budget', () => {
    expect(auditCycle(load([], 10), { requests: 10, room }).threads).toBe(24);
    expect(auditCycle(load([], 1_000), { requests: 10, room }).threads).toBe(100);
    expect(auditCycle(load([], 1_000, 500), { requests: 10, room }).threads).toBe(100);
    expect(auditCycle(load([], 1_000, 30), { requests: 10, room }).threads).toBe(194);
  });

  it('never comes to its end without a budget', () => {
    expect(auditCycle(load([1_000], 5), { requests: 0, room })).toEqual({ histories: null, threads: null });
  });

  it('is kept by the budget that its cost names', () => {
    for (const runs of [24, 72, 168, 720]) {
      const what = load([120_000, 30_000, 400, 20], 4_000);
      const cost = auditCost(what, room, runs);
      expect(cost.requests).toBe(Math.max(cost.history, cost.replies));
      const cycle = auditCycle(what, { requests: cost.requests, room });
      expect(cycle.histories).toBeLessThanOrEqual(runs);
      expect(cycle.threads).toBeLessThanOrEqual(runs);
    }
  });
});
