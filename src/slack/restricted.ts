/**
 * Notices when Slack treats the app as one of those limited to one call a minute with 15 objects, for history and
 * replies each: new apps that are distributed commercially outside the Marketplace, since 2025-05-29
 * (docs.slack.dev/changelog/2025/05/29/rate-limit-changes-for-non-marketplace-apps). No answer says so, only its shape does.
 */
import type { MessagePage } from '../model.ts';
import type { Emit } from '../sync/events.ts';
import { type MethodName, restrictedPage } from './methods.ts';
import type { Pacer } from './pacer.ts';

/** A whole minute's rest, give or take, though hardly anything was called. */
const longRestMs = 50_000;
/** The call that was answered and the one that was refused. */
const fewCalls = 2;
/** Another program on the same app's budget can cause one such rest; the restriction causes it each time. */
const proofRests = 2;

const restrictable: ReadonlySet<MethodName> = new Set(['conversations.history', 'conversations.replies']);

export class RestrictionWatch {
  readonly #pacer: Pacer;
  readonly #emit: Emit;
  readonly #onChange: () => Promise<void>;
  readonly #longRests = new Map<MethodName, number>();
  #isSaid = false;

  /** `onChange` is told when the pacer's knowledge of a restriction changed. */
  constructor(pacer: Pacer, emit: Emit, onChange: () => Promise<void>) {
    this.#pacer = pacer;
    this.#emit = emit;
    this.#onChange = onChange;
  }

  /**
   * Looks at a page that was asked for with a larger limit. Exactly 15 with more to come is the sign; a larger page
   * proves the contrary, so a restriction that was lifted, or was none, is forgotten.
   */
  async sawPage(method: MethodName, page: MessagePage): Promise<void> {
    const size = page.messages.length + page.malformed.length;
    if (size > restrictedPage) await this.#set(method, false);
    else if (size === restrictedPage && (page.hasMore || page.nextCursor !== undefined)) await this.#set(method, true);
  }

  /** Looks at a rate limit that rests the method for `restMs`. */
  async sawRateLimit(method: MethodName, restMs: number): Promise<void> {
    if (!restrictable.has(method) || restMs < longRestMs || this.#pacer.recentCalls(method) > fewCalls) return;
    const longRests = (this.#longRests.get(method) ?? 0) + 1;
    this.#longRests.set(method, longRests);
    if (longRests >= proofRests) await this.#set(method, true);
  }

  async #set(method: MethodName, isRestricted: boolean): Promise<void> {
    if (isRestricted) this.#say(method);
    if (this.#pacer.isRestricted(method) === isRestricted) return;
    this.#pacer.setRestricted(method, isRestricted);
    await this.#onChange();
  }

  #say(method: MethodName): void {
    if (this.#isSaid) return;
    this.#isSaid = true;
    this.#emit({
      type: 'notice',
      message:
        `Slack limits this app to one call of ${method} a minute with ${restrictedPage} messages, as it does with ` +
        'commercially distributed apps outside its Marketplace. Create your own app from slack-app-manifest.yaml in ' +
        'your own workspace and use its token: such internal apps read up to 50 pages of 999 messages a minute.',
    });
  }
}
