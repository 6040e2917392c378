import type { ColumnTypes, Migration } from './column-types.ts';

/** What it takes to bring in exports, in any order and more than once. */
export const imports: Migration = {
  name: '0003_imports',
  statements: (types) => [...exported(types), ...importFiles(types)],
};

/**
 * exported_at: the newest moment that the export holds from which the row came last; null for a row from Slack's API. Of
 * two exports the newer one counts, whichever is imported first.
 */
function exported({ time }: ColumnTypes): string[] {
  return ['messages', 'users', 'channels', 'files'].map(
    (table) => `alter table ${table} add column exported_at ${time}`,
  );
}

function importFiles({ text, integer, time, tableOptions }: ColumnTypes): string[] {
  return [
    // sha256: of the file's content. path: within the export, without folders around it. status: 'done' when nothing of
    // the file is left to bring in, 'partial' when parts of it were filtered out, discarded or not readable, 'failed' when
    // none was readable.
    `create table import_files (
      team_id ${text} not null,
      sha256 ${text} not null,
      path ${text} not null,
      "rows" ${integer} not null,
      status ${text} not null,
      error ${text},
      exported_at ${time},
      updated_at ${time} not null,
      primary key (team_id, path, sha256)
    )${tableOptions}`,
  ];
}
