/** The parts of the configuration that are the webhook handler's alone: `reconcile` and `server`. */
import { z } from 'zod';
import { duration, say, units, word } from './configuration-values.ts';
import { secret } from './sign-in.ts';

/** `reconcile`: how often. */
export const reconcileSchema = z
  .strictObject({
    every: duration(units.m, 7 * units.d)
      .prefault('1h')
      .describe('From the end of one look at everything to the start of the next.'),
    minimumInterval: duration(0, 7 * units.d)
      .prefault('1m')
      .describe('From the end of any run to the start of the next, however many notifications come.'),
  })
  .refine(value => value.minimumInterval <= value.every, {
    path: ['minimumInterval'],
    message: 'must not be longer than reconcile.every',
  })
  .prefault({})
  .describe('When the webhook handler reconciles.');

const port = 'must be a whole number from 0 to 65535';

/** `server`: where the handler listens, and who may call it. */
export const serverSchema = z
  .strictObject({
    host: word.prefault('0.0.0.0').describe('The address to listen on.'),
    port: z.int(say(port)).min(0, port).max(65535, port).prefault(8080).describe('The port; 0 takes a free one.'),
    username: z
      .string()
      .regex(/^[^:\p{Cc}]+$/u, 'must be text without a colon, which HTTP takes for its end')
      .describe('What Azure DevOps signs in with.'),
    password: secret,
  })
  .describe('Where the webhook handler listens, and who may call it.');

/** Where the handler listens, and who may call it. */
export type ServerConfiguration = z.output<typeof serverSchema>;
