/** Stands between the program and a server as PgBouncer does: its own process numbers, few parameters, and shared sessions. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Pooler extends AsyncDisposable {
  /** The server's URL by way of the pooler, without parameters. */
  url: string;
}

export interface PoolerOptions {
  /** For how long a client keeps a session of the server. */
  mode: 'session' | 'transaction';
  /** As `ignore_startup_parameters = options` does: passed over, not passed on. */
  swallowsOptions?: boolean;
}

const sslRequest = 80_877_103;
const knownParameters = ['user', 'database', 'application_name', 'client_encoding', 'DateStyle', 'TimeZone'];

export async function startPooler(
  serverUrl: string,
  { mode, swallowsOptions = false }: PoolerOptions,
): Promise<Pooler> {
  const { hostname, port, username, pathname } = new URL(serverUrl);
  const sockets = new Set<Socket>();
  const idle: Socket[] = [];
  const listener = createServer((client) => serve(keep(client)));

  function keep(socket: Socket): Socket {
    sockets.add(socket);
    return socket
      .setNoDelay(true)
      .on('error', () => undefined)
      .on('close', () => sockets.delete(socket));
  }

  /** A session of the server: one that was given back last, or a new one. */
  async function takeSession(): Promise<Socket> {
    const known = idle.pop();
    if (known !== undefined) return known;
    const server = keep(connect(Number(port), hostname));
    const ready = new Promise<void>((done) => {
      const stop = readMessages(server, ({ type }) => {
        if (type !== 'Z') return;
        stop();
        done();
      });
    });
    server.write(startup({ user: username, database: pathname.slice(1) }));
    await ready;
    return server;
  }

  function serve(client: Socket): void {
    let session: Promise<Socket> | undefined;
    let stopReading = (): void => undefined;
    const giveBack = (server: Socket) => {
      stopReading();
      session = undefined;
      if (mode === 'transaction') idle.push(server);
      else server.destroy();
    };
    const assigned = async (): Promise<Socket> => {
      const server = await takeSession();
      stopReading = readMessages(server, ({ type, body, bytes }) => {
        client.write(bytes);
        if (mode === 'transaction' && type === 'Z' && body.toString() === 'I') giveBack(server);
      });
      return server;
    };
    onceStarted(client, (parameters) => {
      const strange = Object.keys(parameters).find(
        (name) => !knownParameters.includes(name) && !(swallowsOptions && name === 'options'),
      );
      if (strange !== undefined) {
        client.end(fatal('08P01', `unsupported startup parameter: ${strange}`));
        return;
      }
      client.write(
        Buffer.concat([message('R', int(0)), message('K', int(1_000_000_000), int(7)), message('Z', text('I'))]),
      );
      let queue = Promise.resolve();
      readMessages(client, ({ type, bytes }) => {
        if (type === 'X') return;
        queue = queue.then(async () => {
          session ??= assigned();
          (await session).write(bytes);
        });
      });
      client.on('close', () => void session?.then((server) => (mode === 'session' ? giveBack(server) : undefined)));
    });
  }

  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    url: `postgres://${username}@127.0.0.1:${(listener.address() as AddressInfo).port}${pathname}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

interface Message {
  type: string;
  body: Buffer;
  /** All of it, as it came. */
  bytes: Buffer;
}

/** Calls `take` for every message (postgresql.org/docs/current/protocol-message-formats.html) until the result is called. */
function readMessages(socket: Socket, take: (message: Message) => void): () => void {
  let rest = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
      const end = rest.readInt32BE(1) + 1;
      const bytes = rest.subarray(0, end);
      rest = rest.subarray(end);
      take({ type: String.fromCharCode(bytes[0] ?? 0), body: bytes.subarray(5), bytes });
    }
  };
  socket.on('data', onData);
  return () => void socket.off('data', onData);
}

/** The start of a connection has no type, and may ask for TLS first. */
function onceStarted(socket: Socket, start: (parameters: Record<string, string>) => void): void {
  socket.once('data', (bytes) => {
    if (bytes.readInt32BE(4) === sslRequest) {
      socket.write('N');
      onceStarted(socket, start);
      return;
    }
    const words = bytes.subarray(8).toString().split('\0');
    const names = words.filter((name, i) => i % 2 === 0 && name !== '');
    start(Object.fromEntries(names.map((name, i) => [name, words[2 * i + 1] ?? ''])));
  });
}

function startup(parameters: Record<string, string>): Buffer {
  const words = Object.entries(parameters).flat().map(terminated);
  const body = Buffer.concat([int(196_608), ...words, Buffer.from([0])]);
  return Buffer.concat([int(body.length + 4), body]);
}

function fatal(code: string, words: string): Buffer {
  const fields = [`SFATAL`, `VFATAL`, `C${code}`, `M${words}`].map(terminated);
  return message('E', ...fields, Buffer.from([0]));
}

function message(type: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([text(type), int(body.length + 4), body]);
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.from(value);
}

function terminated(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}
