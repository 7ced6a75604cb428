/** What the webhook handler asks of a configuration that CleanImages does not. */
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

/** The handler knows no keep plan, so it would delete what a policy keeps. */
export function refusePolicy(_: Configuration, written: Readonly<Record<string, unknown>>): Fault[] {
  const { registries = [] } = written as { registries?: readonly Readonly<Record<string, unknown>>[] };
  const paths = [
    ...['keep', 'delete', 'clusters'].filter(key => key in written).map(key => [key]),
    ...registries.flatMap((each, at) =>
      ['usage', 'repositories'].filter(key => key in each).map(key => ['registries', at, key]),
    ),
  ];
  const message = 'is a rule of CleanImages that the webhook handler does not keep: give it a configuration without';
  return paths.map(path => ({ path, message }));
}
