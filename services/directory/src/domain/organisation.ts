import { normaliseDomain } from './address.ts';

/** Domains of the organisation in their one spelling. Throws for what is no domain name, naming it. */
export function organisationDomains(domains: readonly string[]): ReadonlySet<string> {
  return new Set(
    domains.map(domain => {
      const normalised = normaliseDomain(domain);
      if (normalised === undefined)
        throw new Error(`directory.domains: ${JSON.stringify(domain)} is not a domain name`);
      return normalised;
    }),
  );
}

export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}
