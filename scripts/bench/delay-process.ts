/**
 * A line to each of several ports of this machine that takes its time, in a process of its own: an order on stdin, the
 * new ports on stdout. It runs until its input ends.
 */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What the line is like. */
export interface DelayOrder {
  readonly ports: readonly number[];
  /** Milliseconds that every byte takes, in each direction. */
  readonly milliseconds: number;
}

function relay(from: Socket, to: Socket, milliseconds: number): void {
  const later = (work: () => void): void => void setTimeout(work, milliseconds);
  // Timers of one length come in the order in which they were set.
  from.on('data', part => later(() => void to.write(part)));
  from.on('end', () => later(() => void to.end()));
  from.on('error', () => to.destroy());
  from.on('close', () => later(() => void to.destroy()));
}

async function listen(port: number, milliseconds: number): Promise<number> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, near => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    relay(near, far, milliseconds);
    relay(far, near, milliseconds);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

process.stdin.once('data', (text: Buffer) => {
  const { ports, milliseconds } = JSON.parse(text.toString()) as DelayOrder;
  void Promise.all(ports.map(port => listen(port, milliseconds))).then(made => console.log(JSON.stringify(made)));
});
process.stdin.once('end', () => process.exit());
