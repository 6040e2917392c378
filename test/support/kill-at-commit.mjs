/**
 * Loaded into the program with `node --import`: kills its process at the n-th commit of a transaction, as
 * KILL_AT_COMMIT=before:3 or after:3 says. "before": the commit never reaches the database; "after": the database
 * has committed and the program does not know yet.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const [moment, nth] = (process.env['KILL_AT_COMMIT'] ?? '').split(':');
let commits = 0;

function isFatal() {
  commits += 1;
  return commits === Number(nth);
}

function die() {
  process.kill(process.pid, 'SIGKILL');
}

const isCommit = (text) => typeof text === 'string' && text.trim().toLowerCase() === 'commit';

const Sqlite = require('better-sqlite3');
const prepare = Sqlite.prototype.prepare;
Sqlite.prototype.prepare = function (text, ...rest) {
  const statement = prepare.call(this, text, ...rest);
  if (!isCommit(text)) return statement;
  const run = statement.run;
  statement.run = function (...parameters) {
    const fatal = isFatal();
    if (fatal && moment === 'before') die();
    const result = run.apply(this, parameters);
    if (fatal) die();
    return result;
  };
  return statement;
};

const { Client } = require('pg');
const query = Client.prototype.query;
Client.prototype.query = function (text, ...rest) {
  if (!isCommit(text)) return query.call(this, text, ...rest);
  const fatal = isFatal();
  if (fatal && moment === 'before') die();
  const answer = query.call(this, text, ...rest);
  return fatal ? answer.then(die) : answer;
};
