/** What the tests of imports share: days that are the same in UTC and in Los Angeles, and exports that are imported. */
import { expect } from 'vitest';
import { exportFolder } from '../exports/export-world.ts';
import type { ExportFile } from '../exports/make-export.ts';
import type { Channel } from '../stand-in/channel.ts';
import type { Lab, LabRun } from '../support/lab.ts';

const dayMs = 86_400_000;

/** In UTC, and in Los Angeles at the hour at which `tsOn` is. */
export function dayBefore(days: number): string {
  return new Date(Date.now() - days * dayMs).toISOString().slice(0, 10);
}

let handedOut = 0;

/** Noon in Los Angeles or one hour later, that many days ago; unlike any handed out before. */
export function tsOn(daysAgo: number, minute = 0): string {
  handedOut = (handedOut + 1) % 9999;
  const seconds = Date.parse(`${dayBefore(daysAgo)}T20:00:00Z`) / 1000 + 60 * minute;
  return `${seconds}.${String(handedOut).padStart(5, '0')}0`;
}

/** One message each day, or each so many days; returns their ts. */
export function postDaily(channel: Channel, from: number, to: number, every = 1): string[] {
  const posted: string[] = [];
  for (let day = from; day >= to; day -= every) {
    posted.push(channel.post({ ts: tsOn(day), text: `said ${day} days ago` }));
  }
  return posted;
}

export function without(files: readonly ExportFile[], ...paths: string[]): ExportFile[] {
  return files.filter(({ path }) => !paths.includes(path));
}

/** Imports these files as a folder. */
export function imported(lab: Lab, files: readonly ExportFile[], ...args: string[]): Promise<LabRun> {
  return lab.run(['import', exportFolder(files), ...args]);
}

/** The same messages, in whichever form they came. */
export async function expectSameMessages(lab: Lab, channels: readonly Channel[]): Promise<void> {
  for (const channel of channels) {
    const stored = await lab.database.rows('messages', { where: `channel_id = '${channel.id}'`, order: 'ts' });
    const shown = stored.filter(({ deleted_at }) => deleted_at === null);
    const columns = ({ ts, text, thread_ts }: Record<string, unknown>) => ({ ts, text, thread_ts: thread_ts ?? null });
    expect(shown.map(columns)).toEqual(channel.expectedMessages().map(columns));
  }
}
