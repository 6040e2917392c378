import type { JsonObject } from '../../src/model.ts';

/** Slack says no: `{"ok":false,"error":...}` with HTTP 200. */
export class Refusal extends Error {
  readonly error: string;
  readonly extra: JsonObject;

  constructor(error: string, extra: JsonObject = {}) {
    super(error);
    this.error = error;
    this.extra = extra;
  }

  toJson(): string {
    return JSON.stringify({ ok: false, error: this.error, ...this.extra });
  }
}
