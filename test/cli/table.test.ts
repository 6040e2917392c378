import { expect, it } from 'vitest';
import { renderTable } from '../../src/cli/table.ts';

const columns = [
  { title: 'channel', isFlexible: true },
  { title: 'count', align: 'right' as const },
];

it('is as wide as its cells, numbers at the right', () => {
  const rows = [
    ['#general', '1'],
    ['#x', '1,000'],
  ];
  expect(renderTable(columns, rows, 80)).toEqual(['channel   count', '#general      1', '#x        1,000']);
});

it('cuts the flexible column where the screen is narrow, by cells and not by characters', () => {
  const lines = renderTable(columns, [['日本語のチャンネルの名前', '7']], 20);
  expect(lines).toEqual(['channel        count', '日本語のチャ…      7']);
});
