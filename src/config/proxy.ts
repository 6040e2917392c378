import { UsageError } from '../errors.ts';
import type { HttpsProxy } from '../http/proxy.ts';
import type { Environment } from './env.ts';
import { readVariable } from './env.ts';

/**
 * The proxy for https that HTTPS_PROXY (or ALL_PROXY) names, with the exceptions of NO_PROXY; null when there is none. Both
 * ways of writing count, the lower case first, as curl has it (curl.se/docs/manpage.html, ENVIRONMENT).
 * @throws UsageError when the address cannot be used; it is not quoted, since it may hold a password
 */
export function readProxy(env: Environment): HttpsProxy | null {
  const name = ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'].find((one) => readVariable(env, one));
  if (name === undefined) return null;
  const text = readVariable(env, name) ?? '';
  const address = text.includes('://') ? text : `http://${text}`;
  if (!URL.canParse(address)) throw proxyError(name, 'it is no address');
  const url = new URL(address);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw proxyError(name, `proxies that speak ${url.protocol.slice(0, -1)} are not supported`);
  }
  return { url, except: readVariable(env, 'no_proxy') ?? readVariable(env, 'NO_PROXY') ?? '' };
}

function proxyError(name: string, why: string): UsageError {
  return new UsageError(
    `The proxy in ${name} cannot be used: ${why}.`,
    'Write http://proxy.example.com:3128, with special characters of user and password percent-encoded; name hosts to be reached without it in NO_PROXY.',
  );
}
