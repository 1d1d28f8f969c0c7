/** Where data about what people use comes from, when nobody says otherwise. Everything of it can be had from a mirror instead. */
import type { ImportSource } from './import.ts'

const osv = (ecosystem: string): ImportSource => ({
  location: `https://osv-vulnerabilities.storage.googleapis.com/${encodeURIComponent(ecosystem)}/all.zip`,
  format: 'osv',
})

const ecosystems = [
  'Debian',
  'Ubuntu',
  'Alpine',
  'Red Hat',
  'Rocky Linux',
  'AlmaLinux',
  'npm',
  'PyPI',
  'Go',
  'Maven',
  'crates.io',
  'RubyGems',
  'Packagist',
  'NuGet',
]

export const usualSources: readonly ImportSource[] = [
  ...ecosystems.map(osv),
  { location: 'https://security-tracker.debian.org/tracker/data/json', format: 'debian' },
  { location: 'https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json', format: 'kev' },
  { location: 'https://epss.empiricalsecurity.com/epss_scores-current.csv.gz', format: 'epss' },
]
