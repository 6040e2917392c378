import { expect, it } from 'vitest';
import { startConnectProxy } from '../support/connect-proxy.ts';
import { createSqlite } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { startTlsFront, type TlsFront } from '../support/tls-front.ts';
import { expectWorld } from '../support/world-rows.ts';

const password = 'hunter2@home';

function smallWorld(lab: Lab) {
  const channel = lab.acme.channel('general');
  channel.reply(channel.post({ text: 'root' }), { text: 'reply' });
  return [channel];
}

const trusting = (front: TlsFront) => ({ SLACK_API_URL: front.url, NODE_EXTRA_CA_CERTS: front.authority });

it('goes to Slack through the proxy of HTTPS_PROXY, with its password, which nobody is shown', async () => {
  await using lab = await openLab(createSqlite);
  await using front = await startTlsFront(lab.slack.url);
  await using proxy = await startConnectProxy({ password });
  const channels = smallWorld(lab);
  const address = `http://me:${encodeURIComponent(password)}@127.0.0.1:${proxy.port}`;
  const run = await lab.run(['ingest', '--log-level', 'debug'], { env: { ...trusting(front), HTTPS_PROXY: address } });
  expect(run.stderr).not.toContain('hunter2');
  expect(run.code).toBe(0);
  expect(proxy.tunnels[0]).toBe(new URL(front.url).host);
  await expectWorld(lab.database, channels);
});

it('goes straight to hosts that NO_PROXY names', async () => {
  await using lab = await openLab(createSqlite);
  await using front = await startTlsFront(lab.slack.url);
  await using proxy = await startConnectProxy();
  const env = { ...trusting(front), https_proxy: `http://127.0.0.1:${proxy.port}`, NO_PROXY: 'intranet,localhost' };
  expect((await lab.run(['ingest'], { env })).code).toBe(0);
  expect(proxy.tunnels).toEqual([]);
});

it('names a certificate that nobody vouches for, and what to do, after one try', async () => {
  await using lab = await openLab(createSqlite);
  await using front = await startTlsFront(lab.slack.url);
  const run = await lab.run(['ingest'], { env: { SLACK_API_URL: front.url } });
  expect(run.code).toBe(1);
  expect(run.out.errors[0].message).toContain('nothing this machine trusts has signed the certificate of the server');
  expect(run.out.errors[0].hint).toContain('NODE_EXTRA_CA_CERTS');
  expect(front.connections).toBe(1);
});

it('names a proxy that refuses, after one try and without its password', async () => {
  await using lab = await openLab(createSqlite);
  await using front = await startTlsFront(lab.slack.url);
  await using proxy = await startConnectProxy({ password });
  const env = { ...trusting(front), HTTPS_PROXY: `http://me:wrong-one@127.0.0.1:${proxy.port}` };
  const run = await lab.run(['ingest'], { env });
  expect(run.code).toBe(1);
  expect(run.out.errors[0]).toMatchObject({ code: 'proxy_refused' });
  expect(run.out.errors[0].message).toContain(`the proxy http://127.0.0.1:${proxy.port} refuses`);
  expect(run.stdout + run.stderr).not.toContain('wrong-one');
  expect(proxy.tunnels).toHaveLength(1);
});

it('refuses a proxy that it cannot use, before any request', async () => {
  await using lab = await openLab(createSqlite);
  const run = await lab.run(['ingest'], { env: { ALL_PROXY: 'socks5://me:secret@127.0.0.1:1080' } });
  expect(run.code).toBe(2);
  expect(run.stderr).toContain('The proxy in ALL_PROXY cannot be used: proxies that speak socks5 are not supported.');
  expect(run.stderr).not.toContain('secret');
  expect(run.requests).toEqual([]);
});
