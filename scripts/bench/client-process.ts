/** The client as a process of its own, so that its memory is nobody else's: an order on stdin, the result on stdout. */
import { text } from 'node:stream/consumers';
import { type ClientOrder, runHere } from './client.ts';

console.log(JSON.stringify(await runHere(JSON.parse(await text(process.stdin)) as ClientOrder)));
