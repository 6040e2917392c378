/**
 * Loaded into the program with `node --import`: runs the shell command RUN_AT_COMMIT once, when the first transaction on
 * SQLite has committed: something that happens to the world while the program works.
 */
import { execSync } from 'node:child_process';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const Sqlite = require('better-sqlite3');
let command = process.env['RUN_AT_COMMIT'];

const prepare = Sqlite.prototype.prepare;
Sqlite.prototype.prepare = function (text, ...rest) {
  const statement = prepare.call(this, text, ...rest);
  if (text.trim().toLowerCase() !== 'commit') return statement;
  const run = statement.run;
  statement.run = function (...parameters) {
    const result = run.apply(this, parameters);
    if (command !== undefined) execSync(command);
    command = undefined;
    return result;
  };
  return statement;
};
