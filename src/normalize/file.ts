import { isId } from '../ids.ts';
import { type IsoTime, type JsonObject, JsonText } from '../model.ts';
import { millisToIso } from '../ts.ts';
import { hashObject } from './content-hash.ts';
import { integerOf, nonEmptyText, objectsOf } from './json-access.ts';

export interface NormalizedFile {
  file_id: string;
  name: string | null;
  title: string | null;
  mimetype: string | null;
  size: number | null;
  mode: string | null;
  url_private: string | null;
  created_at: IsoTime | null;
  content_hash: string;
  raw: JsonText;
  /** Only `{id, mode}` or the like: hidden by the plan, deleted, or not ours to see. It must not blank what is known. */
  isStub: boolean;
}

/** The files of a message: `files`, or `file` in messages before 2018. One entry per id; entries without an id name no file. */
export function normalizeFiles(message: JsonObject): NormalizedFile[] {
  if (!message['files'] && !message['file']) return [];
  const listed = Array.isArray(message['files']) ? objectsOf(message['files']) : objectsOf([message['file'] ?? null]);
  const byId = new Map<string, NormalizedFile>();
  for (const file of listed) {
    const { id } = file;
    if (isId(id)) byId.set(id, normalizeFile(id, file));
  }
  return [...byId.values()];
}

function normalizeFile(id: string, file: JsonObject): NormalizedFile {
  return {
    file_id: id,
    name: nonEmptyText(file['name']),
    title: nonEmptyText(file['title']),
    mimetype: nonEmptyText(file['mimetype']),
    size: integerOf(file['size'], Number.MAX_SAFE_INTEGER),
    mode: nonEmptyText(file['mode']),
    url_private: nonEmptyText(file['url_private']),
    created_at: secondsToIso(integerOf(file['created'], Number.MAX_SAFE_INTEGER)),
    content_hash: hashObject(file),
    raw: new JsonText(JSON.stringify(file)),
    isStub: nonEmptyText(file['name']) === null && file['created'] === undefined,
  };
}

/** `file.created` is in seconds (docs.slack.dev file object); a value beyond the calendar is no time. */
function secondsToIso(seconds: number | null): IsoTime | null {
  if (seconds === null || seconds < 0 || seconds > 253_402_300_799) return null;
  return millisToIso(seconds * 1000);
}
