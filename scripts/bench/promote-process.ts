/** A promotion as a process of its own: an order on stdin, the result on stdout. */
import { text } from 'node:stream/consumers';
import { type PromoteOrder, promoteHere } from './promote-client.ts';

async function main(): Promise<void> {
  console.log(JSON.stringify(await promoteHere(JSON.parse(await text(process.stdin)) as PromoteOrder)));
}

void main();
