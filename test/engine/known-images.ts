/** What tests say is known of the images that a world's environments run. */
import type { VulnerabilityFinding } from '../../src/model/finding.ts'
import type { Package } from '../../src/model/package.ts'

export const openssl: Package = {
  ...{ type: 'deb', name: 'openssl', version: '3.0.11', purl: 'pkg:deb/debian/openssl@3.0.11', licenses: [], paths: ['var/lib/dpkg/status'] },
}

/** The fingerprint is of the number. */
export const vulnerability = (number: number, change: Partial<VulnerabilityFinding> = {}): VulnerabilityFinding => ({
  ...{ kind: 'vulnerability', id: `CVE-2099-${number}`, severity: 'critical', title: `hole ${number}`, places: [], aliases: [], ratings: [] },
  fingerprint: number.toString(16).padStart(32, '0'),
  package: { purl: openssl.purl, name: openssl.name, version: openssl.version },
  fixed: '3.0.13',
  ...change,
})
