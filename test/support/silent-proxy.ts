/** Stands between the program and a server, and can fall silent as a network does: nothing passes, nobody is told. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface SilentProxy extends AsyncDisposable {
  /** The server's URL by way of the proxy. */
  url: string;
  /** From now on no byte passes in either direction; new connections are accepted and never answered. */
  silence(): void;
}

/** With `idleMs` it cuts a connection over which nothing passed for so long, as load balancers do. */
export async function startSilentProxy(serverUrl: string, { idleMs = 0 } = {}): Promise<SilentProxy> {
  const { hostname, port } = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let isSilent = false;
  const listener = createServer((client) => {
    keep(client);
    if (isSilent) return;
    const upstream = keep(connect(Number(port), hostname));
    pass(client, upstream);
    pass(upstream, client);
  });

  function keep(socket: Socket): Socket {
    sockets.add(socket);
    if (idleMs > 0) socket.setTimeout(idleMs, () => socket.destroy());
    return socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  }

  function pass(from: Socket, to: Socket): void {
    from.on('data', (bytes) => {
      if (!isSilent) to.write(bytes);
    });
    from.on('close', () => {
      if (!isSilent) to.destroy();
    });
  }

  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const url = new URL(serverUrl);
  url.hostname = '127.0.0.1';
  url.port = String((listener.address() as AddressInfo).port);
  return {
    url: url.href,
    silence() {
      isSilent = true;
    },
    async [Symbol.asyncDispose]() {
      if (!listener.listening) return;
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}
