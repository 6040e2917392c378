/** What of a planned run a budget of requests leaves in it, in the order in which such a run works (read-channels.ts). Pure. */
import type { RequestPlan } from '../sync/request-plan.ts';

/** The part of the plan that `requests` calls suffice for; what was spent before it begins is not among them. */
export function planWithin(plan: RequestPlan, requests: number): RequestPlan {
  let left = Math.max(0, requests);
  const take = (calls: number, most = left): number => {
    const taken = Math.min(calls, Math.max(0, most));
    left -= taken;
    return taken;
  };
  const joins = take(plan.joins);
  const { reserved, audits } = turnOf(plan, left);
  const history = { recent: take(plan.history.recent, left - reserved), audits: 0, holes: 0 };
  const replies = { pending: take(plan.replies.pending), audits: 0 };
  const auditAll = (): void => {
    history.audits = take(plan.history.audits);
    replies.audits = take(plan.replies.audits);
  };
  const isCut = history.recent < plan.history.recent;
  if (!isCut && audits) auditAll();
  history.holes = take(plan.history.holes);
  if (isCut) {
    history.recent += take(plan.history.recent - history.recent);
    history.holes += take(plan.history.holes - history.holes);
    auditAll();
  }
  const users = { list: take(plan.users.list), info: take(plan.users.info) };
  return { ...plan, joins, history, replies, users };
}

/** Every other run of a small budget leaves something to what comes after the new messages, and leaves the audits out. */
function turnOf(plan: RequestPlan, left: number): { reserved: number; audits: boolean } {
  const isOdd = plan.runNumber % 2 === 1;
  const waits = plan.history.holes + plan.users.list + plan.users.info > 0;
  return {
    reserved: !isOdd && left <= plan.channels ? Math.ceil(left / 2) : 0,
    audits: isOdd || !waits,
  };
}
