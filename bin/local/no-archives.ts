/** Nothing may also be a wrong name, store or regime. */
export function noArchives(tenant: string | undefined, regime: string, location: string): string {
  return `no archives${tenant === undefined ? '' : ` of tenant ${JSON.stringify(tenant)}`} under regime ${regime} in ${location}`;
}
