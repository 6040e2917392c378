/** Where people's messages and the key to a language model may be sent. */
import { UsageError } from '../../errors.ts';

/** OpenAI's own API. */
const ownEndpoint = 'https://api.openai.com/v1';

/**
 * The address of an OpenAI-compatible API, checked: https, or http on this machine, because every call carries a key and
 * what people wrote. `null` means OpenAI's own. An address with a password in it is refused unread, and never shown.
 * @throws UsageError
 */
export function checkEndpoint(text: string | null): URL {
  const address = text ?? ownEndpoint;
  if (!URL.canParse(address)) throw endpointError('it is no URL');
  const url = new URL(address);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw endpointError(`it begins with ${url.protocol}`);
  if (url.protocol === 'http:' && !isLoopback(url)) {
    throw endpointError(`messages and the key would travel unencrypted to ${url.host}`);
  }
  // fetch refuses credentials in a URL, and the SDK appends the path to the text as it is.
  if (url.username !== '' || url.password !== '') throw endpointError('it holds a user name or password');
  if (url.search !== '' || url.hash !== '') throw endpointError('it has a query or a fragment');
  return url;
}

/** Whether the address stays on this machine: 127.0.0.0/8, ::1 or localhost. `URL` has normalised spellings like 127.1. */
function isLoopback(url: URL): boolean {
  return url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(url.hostname);
}

function endpointError(why: string): UsageError {
  return new UsageError(
    `The address of the language model (llm.base_url) cannot be used: ${why}.`,
    'Use an https address like https://api.openai.com/v1, or http on 127.0.0.1, ::1 or localhost.',
  );
}
