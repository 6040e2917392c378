/** Values as the server sends them, turned into what both databases give. */
import pg from 'pg';

/** int8 as a number (throws beyond 2^53), timestamptz as the ISO text SQLite stores; everything else as pg does it. */
export function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (format !== 'binary' && oid === pg.types.builtins.INT8) return parseSafeInteger;
  const parse = pg.types.getTypeParser(oid, format as 'text');
  if (format !== 'binary' && oid === pg.types.builtins.TIMESTAMPTZ) {
    return (value) => {
      const date: unknown = parse(value);
      return date instanceof Date ? date.toISOString() : date;
    };
  }
  return parse;
}

function parseSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value))
    throw new RangeError(`the database returned ${text}, beyond the integers a number can hold`);
  return value;
}
