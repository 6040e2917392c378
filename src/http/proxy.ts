/** Requests to servers outside of this machine, through the proxy that the environment names. */

/** Which proxy to take for https, and for which hosts not to. */
export interface HttpsProxy {
  /** `http://` or `https://`, perhaps with a user and a password: never to be shown. */
  url: URL;
  /** As NO_PROXY has it: hosts, domains, ports, `*`. */
  except: string;
}

/** What is needed of `fetch`: an address as text or URL, and the usual options. */
export type Fetch = typeof fetch;

/**
 * A `fetch` for `target`. Only https goes through the proxy, in a tunnel that the proxy cannot read: plain http is for this
 * machine alone, and a token sent to a proxy unencrypted would be told to it. The agent is loaded with the first request.
 */
export function fetchThrough(proxy: HttpsProxy | null, target: URL): Fetch {
  if (proxy === null || target.protocol !== 'https:') return fetch;
  let opened: Promise<Fetch> | undefined;
  return async (input, init) => {
    opened ??= openProxiedFetch(proxy);
    return (await opened)(input, init);
  };
}

/** The proxy as it may be shown: without user and password. */
export function proxyAddress({ url }: HttpsProxy): string {
  return url.origin;
}

/** The HTTP status with which the proxy refused a tunnel, if that is why a request failed; undici tells it in a message only. */
export function proxyStatusIn(error: Error): number | undefined {
  const status = /^Proxy response \((\d{3})\)/.exec(error.message)?.[1];
  if (status !== undefined) return Number(status);
  return error.cause instanceof Error ? proxyStatusIn(error.cause) : undefined;
}

async function openProxiedFetch(proxy: HttpsProxy): Promise<Fetch> {
  // Node's own fetch takes no agent of another release of undici than the one it was built with, so both come from one.
  const { EnvHttpProxyAgent, fetch: send } = await import('undici');
  const dispatcher = new EnvHttpProxyAgent({ httpsProxy: proxy.url.href, httpProxy: '', noProxy: proxy.except });
  return async (input, init) => {
    const address = input instanceof Request ? input.url : input;
    const { body, headers, method, redirect, signal } = init ?? {};
    const response = await send(address, {
      dispatcher,
      headers: Object.fromEntries(new Headers(headers)),
      ...(body === undefined || body === null ? {} : { body: await textOf(body) }),
      ...(method === undefined ? {} : { method }),
      ...(redirect === undefined ? {} : { redirect }),
      ...(signal === undefined || signal === null ? {} : { signal }),
    });
    const { status, statusText } = response;
    return new Response(response.body, { status, statusText, headers: Object.fromEntries(response.headers) });
  };
}

/** Our requests are forms and JSON: small, and text. */
function textOf(body: NonNullable<RequestInit['body']>): Promise<string> {
  return new Response(body).text();
}
