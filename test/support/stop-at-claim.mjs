/**
 * Loaded into the program with `node --import`: stops its process (SIGSTOP) right after it has committed the first claim of a
 * digest's message, as a closed laptop or a frozen container does. Whoever started it lets it go on.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
let isClaimed = false;
let isStopped = false;

/** Told of every statement and its values. */
function watch(statement, values) {
  if (/^update .*digest_chunks/i.test(statement) && JSON.stringify(values ?? []).includes('"posting"'))
    isClaimed = true;
}

function stopAfter(statement) {
  if (!isClaimed || isStopped || statement.trim().toLowerCase() !== 'commit') return;
  isStopped = true;
  process.kill(process.pid, 'SIGSTOP');
}

const Sqlite = require('better-sqlite3');
const prepare = Sqlite.prototype.prepare;
Sqlite.prototype.prepare = function (text, ...rest) {
  const statement = prepare.call(this, text, ...rest);
  for (const method of ['run', 'all', 'get', 'iterate']) {
    const original = statement[method];
    statement[method] = function (...values) {
      watch(text, values);
      const result = original.apply(this, values);
      stopAfter(text);
      return result;
    };
  }
  return statement;
};

const { Client } = require('pg');
const query = Client.prototype.query;
Client.prototype.query = function (...args) {
  const [first] = args;
  const text = typeof first === 'string' ? first : (first?.text ?? '');
  watch(text, args);
  const answer = query.apply(this, args);
  return typeof answer?.then === 'function'
    ? answer.then((result) => {
        stopAfter(text);
        return result;
      })
    : answer;
};
