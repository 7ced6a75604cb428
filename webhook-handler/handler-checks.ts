/** What the webhook handler asks of a configuration that CleanImages does not, and what it makes of it. */
import type { Configuration } from '../core/lifecycle/configuration/configuration.ts';
import type { Fault } from '../core/lifecycle/configuration/faults.ts';
import { pathOfOrganization } from '../core/lifecycle/configuration/written-path.ts';

/** The handler has no service connections: it signs in as the configuration says. */
export function demandSignIn({ registries, organizations, isShort }: Configuration): Fault[] {
  const message = 'is missing: the webhook handler signs in as the configuration says';
  const short = 'is the short form, which has no signIn: write organizations with url, signIn and projects';
  return [
    ...registries.flatMap(({ signIn }, at) => (signIn ? [] : [{ path: ['registries', at, 'signIn'], message }])),
    ...organizations.flatMap(({ signIn }, at) =>
      signIn ? [] : [{ path: pathOfOrganization(isShort, at, 'signIn'), message: isShort ? short : message }],
    ),
  ];
}

/**
 * Whether the configuration says something that only a plan over all registries heeds: what must stay, or which repositories
 * are looked at. Without it each registry is reconciled with each organization for itself, which asks for far less.
 */
export function needsPlan({ isPolicyGiven, registries }: Configuration): boolean {
  return isPolicyGiven || registries.some(({ repositories }) => repositories.some(glob => glob !== '*'));
}
