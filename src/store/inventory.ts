/** The inventory in tables: packages are kept once, whatever number of images has them. */
import { z } from 'zod'
import { compareSeverity, Severity } from '../model/finding.ts'
import type { Inventory, PastUse, RememberedImage, RememberedVulnerability, WhoQuestion, WhoRow } from '../model/inventory.ts'
import type { Package } from '../model/package.ts'
import { Distribution, PackageType, upstreamVersion } from '../model/package.ts'
import type { Row } from './rows.ts'

type Values = Record<string, string | number | null>

export interface InventoryTables {
  transaction<T>(work: () => T): T
  all(text: string, values?: Values): Row[]
  /** Returns the id of the row that was inserted last. */
  run(text: string, values: Values): number
}

/** Of one image; what is more is not remembered, and said. */
const mostPackages = 50_000
const mostVulnerabilities = 20_000
/** Of one image that the data no longer speaks of. */
const mostOver = 5_000
const mostNames = 100
/** Of one row of an answer. */
const mostShown = 100

const Texts = z.array(z.string())

const textOf = (row: Row, column: string): string => String(row[column] ?? '')
const numberOf = (row: Row, column: string): number => Number(row[column] ?? 0)
const maybeNumber = (row: Row, column: string): number | undefined => (row[column] === null ? undefined : Number(row[column]))

const worstFirst = (
  left: Pick<RememberedVulnerability, 'severity' | 'exploited' | 'id'>,
  right: Pick<RememberedVulnerability, 'severity' | 'exploited' | 'id'>,
): number =>
  compareSeverity(right.severity, left.severity) ||
  Number(right.exploited) - Number(left.exploited) ||
  (left.id < right.id ? -1 : left.id > right.id ? 1 : 0)

const vulnerabilityOf = (row: Row): RememberedVulnerability => ({
  id: textOf(row, 'name'),
  names: Texts.parse(JSON.parse(textOf(row, 'names'))),
  fingerprint: textOf(row, 'fingerprint'),
  severity: Severity.parse(row['severity']),
  fixed: row['fixed'] === null ? undefined : textOf(row, 'fixed'),
  exploited: row['exploited'] === 1,
  settled: row['settled'] === 1,
  package: { purl: textOf(row, 'purl'), name: textOf(row, 'package_name'), version: textOf(row, 'version') },
  since: maybeNumber(row, 'since'),
  back: row['back'] === null ? undefined : { gone: numberOf(row, 'gone'), at: numberOf(row, 'back') },
})

const imageOf = (row: Row): RememberedImage => ({
  digest: textOf(row, 'digest'),
  names: Texts.parse(JSON.parse(textOf(row, 'names'))),
  distribution: row['distribution'] === null ? undefined : Distribution.parse(JSON.parse(textOf(row, 'distribution'))),
  problems: Texts.parse(JSON.parse(textOf(row, 'problems'))),
  ...{ scannedAt: numberOf(row, 'scanned_at'), matchedAt: numberOf(row, 'matched_at'), dataFrom: maybeNumber(row, 'data_from') },
})

const pastUseOf = (row: Row): PastUse => {
  const running = numberOf(row, 'running')
  return {
    environment: { id: textOf(row, 'environment'), name: textOf(row, 'name'), owner: textOf(row, 'owner') },
    workload: textOf(row, 'workload'),
    ...{ instances: numberOf(row, 'instances'), running, from: numberOf(row, 'first') },
    until: running > 0 ? undefined : numberOf(row, 'last'),
  }
}

const vulnerabilitySql = `SELECT v.id AS row, v.package, v.name, v.fingerprint, v.severity, v.fixed, v.exploited, v.settled, v.since, v.over, v.gone, v.back,
    p.purl, p.name AS package_name, p.version,
    (SELECT json_group_array(n.name) FROM vulnerability_name n WHERE n.vulnerability = v.id) AS names
  FROM image_vulnerability v JOIN package p ON p.id = v.package WHERE v.image = :image`

const staleSql = `SELECT used.digest, used.runs FROM (
    SELECT origin ->> '$.image' AS digest, max(state = 'running') AS runs FROM instance
    WHERE started_at IS NOT NULL AND origin ->> '$.image' IS NOT NULL GROUP BY origin ->> '$.image'
  ) AS used LEFT JOIN image ON image.digest = used.digest
  WHERE image.id IS NULL OR image.scanner <> :scanner OR image.data IS NOT :data OR image.again_at <= :now
  ORDER BY used.runs DESC, used.digest LIMIT :limit`

/** When an instance that runs no more has ended, as far as it is known. */
const endedSql = "coalesce(i.exit ->> '$.endedAt', e.ended_at, i.started_at)"

const usesSql = `SELECT i.environment, e.name, e.owner, i.workload, count(*) AS instances, sum(i.state = 'running') AS running,
    min(i.started_at) AS first, max(CASE WHEN i.state = 'running' THEN 0 ELSE ${endedSql} END) AS last
  FROM instance i JOIN environment e ON e.id = i.environment
  WHERE i.started_at IS NOT NULL AND i.origin ->> '$.image' = :image
    AND (:teams IS NULL OR e.team IN (SELECT value FROM json_each(:teams)))
    AND (:running = 0 OR i.state = 'running') AND (i.state = 'running' OR ${endedSql} >= :since)
  GROUP BY i.environment, i.workload ORDER BY running > 0 DESC, first DESC LIMIT :limit`

/** Names are written with or without what a registry's clients leave out. */
const isCalled = (names: readonly string[], wanted: string): boolean => {
  const full = /:[^/]*$|@/.test(wanted) ? wanted : `${wanted}:latest`
  return names.some(
    name => name === wanted || name === full || name.endsWith(`/${full}`) || name.endsWith(`/${wanted}`) || name.startsWith(`${wanted}:`),
  )
}
const isDigest = (digest: string, wanted: string): boolean => {
  const hex = wanted.replace(/^sha256:/, '')
  return /^[0-9a-f]{12,64}$/.test(hex) && digest.startsWith(`sha256:${hex}`)
}

const packageCondition = (question: NonNullable<WhoQuestion['package']>): [text: string, values: Values] => {
  if ('purl' in question)
    return ["p.purl = :purl OR substr(p.purl, 1, length(:purl) + 1) IN (:purl || '?', :purl || '#', :purl || '@')", { purl: question.purl }]
  const { name, version } = question
  if (version === undefined) return ['p.name = :package OR p.source_name = :package', { package: name }]
  return [
    '(p.name = :package AND :version IN (p.version, p.upstream)) OR (p.source_name = :package AND :version IN (p.source_version, p.source_upstream))',
    { package: name, version },
  ]
}

interface Held {
  readonly package: WhoRow['package']
  readonly vulnerabilities: WhoRow['vulnerabilities']
}

export const createInventory = ({ transaction, all, run }: InventoryTables): Inventory => {
  const idOf = (digest: string): number | undefined => {
    const [row] = all('SELECT id FROM image WHERE digest = :digest', { digest })
    return row && numberOf(row, 'id')
  }

  const packageId = (one: Package): number => {
    const source = one.source ?? { name: '', version: '' }
    const key = { purl: one.purl, source_name: source.name, source_version: source.version }
    const [known] = all('SELECT id FROM package WHERE purl = :purl AND source_name = :source_name AND source_version = :source_version', key)
    if (known !== undefined) return numberOf(known, 'id')
    return run(
      `INSERT INTO package (purl, type, name, version, upstream, source_name, source_version, source_upstream, architecture)
       VALUES (:purl, :type, :name, :version, :upstream, :source_name, :source_version, :source_upstream, :architecture)`,
      {
        ...key,
        ...{ type: one.type, name: one.name, version: one.version, upstream: upstreamVersion(one), architecture: one.architecture ?? '' },
        source_upstream: upstreamVersion({ type: one.type, version: source.version }),
      },
    )
  }

  const insertVulnerability = (image: number, packageRow: number, one: Omit<RememberedVulnerability, 'package'>, over: number | null): void => {
    const { id, names, fingerprint, severity, fixed, exploited, settled, since, back } = one
    const row = run(
      `INSERT INTO image_vulnerability (image, package, name, fingerprint, severity, fixed, exploited, settled, since, over, gone, back)
       VALUES (:image, :package, :name, :fingerprint, :severity, :fixed, :exploited, :settled, :since, :over, :gone, :back)`,
      {
        ...{ image, package: packageRow, name: id, fingerprint, severity, fixed: fixed ?? null, since: since ?? null, over },
        ...{ gone: back?.gone ?? null, back: back?.at ?? null },
        ...{ exploited: exploited ? 1 : 0, settled: settled ? 1 : 0 },
      },
    )
    for (const name of new Set(names)) run('INSERT INTO vulnerability_name (name, vulnerability) VALUES (:name, :row)', { name, row })
  }

  const remember: Inventory['remember'] = (knowledge, now, again) =>
    transaction(() => {
      const { digest, distribution, scanner, data, dataFrom, scannedAt } = knowledge
      const known = idOf(digest)
      const packages = knowledge.packages.slice(0, mostPackages)
      const findings = knowledge.findings.slice(0, mostVulnerabilities)
      const left = knowledge.packages.length - packages.length + (knowledge.findings.length - findings.length)
      const [names] = all('SELECT names FROM image WHERE digest = :digest', { digest })
      const before = names === undefined ? [] : Texts.parse(JSON.parse(textOf(names, 'names')))
      run(
        `INSERT INTO image (digest, names, distribution, problems, scanner, data, data_from, scanned_at, matched_at, again_at)
         VALUES (:digest, :names, :distribution, :problems, :scanner, :data, :data_from, :scanned_at, :matched_at, :again_at)
         ON CONFLICT (digest) DO UPDATE SET names = excluded.names, distribution = excluded.distribution, problems = excluded.problems,
           scanner = excluded.scanner, data = excluded.data, data_from = excluded.data_from, scanned_at = excluded.scanned_at,
           matched_at = excluded.matched_at, again_at = excluded.again_at`,
        {
          ...{ digest, scanner, data: data ?? null, data_from: dataFrom ?? null, scanned_at: scannedAt, matched_at: now, again_at: again ?? null },
          names: JSON.stringify([...new Set([...before, ...knowledge.names])].slice(-mostNames)),
          distribution: distribution === undefined ? null : JSON.stringify(distribution),
          problems: JSON.stringify([
            ...knowledge.problems.slice(0, 100),
            ...(left > 0 ? [`${left} more packages or vulnerabilities than are remembered`] : []),
          ]),
        },
      )
      const image = idOf(digest) ?? 0
      // What it had before, by each of its names: another name that becomes the first makes it no other one.
      const prior = new Map<string, Row>()
      const rows = known === undefined ? [] : all(vulnerabilitySql, { image })
      for (const row of rows) for (const name of Texts.parse(JSON.parse(textOf(row, 'names')))) prior.set(`${textOf(row, 'purl')}\0${name}`, row)
      run('DELETE FROM image_vulnerability WHERE image = :image', { image })
      run('DELETE FROM image_package WHERE image = :image', { image })
      const ids = new Map<string, number>()
      for (const one of packages) {
        const id = packageId(one)
        ids.set(one.purl, id)
        run('INSERT OR IGNORE INTO image_package (image, package) VALUES (:image, :id)', { image, id })
      }
      const fresh: RememberedVulnerability[] = []
      const found = new Set<Row>()
      for (const finding of findings) {
        const packageRow = ids.get(finding.package.purl)
        if (packageRow === undefined) continue
        const called = [finding.id, ...finding.aliases]
        const earlier = called.map(name => prior.get(`${finding.package.purl}\0${name}`)).filter(row => row !== undefined)
        for (const row of earlier) found.add(row)
        const isNew = known !== undefined && earlier.length === 0
        const first = earlier.find(row => row['over'] === null) ?? earlier[0]
        const isBack = first !== undefined && first['over'] !== null
        const one: RememberedVulnerability = {
          ...{ id: finding.id, names: called, fingerprint: finding.fingerprint, severity: finding.severity, fixed: finding.fixed },
          ...{ exploited: finding.exploited ?? false, package: finding.package },
          settled: finding.vex?.status === 'not_affected' || finding.vex?.status === 'fixed',
          since: isNew ? now : first && maybeNumber(first, 'since'),
          back: isBack ? { gone: numberOf(first, 'over'), at: now } : first && vulnerabilityOf(first).back,
        }
        insertVulnerability(image, packageRow, one, null)
        if (isNew || isBack) fresh.push(one)
      }
      for (const row of rows.filter(row => !found.has(row)).slice(0, mostOver)) {
        insertVulnerability(image, numberOf(row, 'package'), vulnerabilityOf(row), maybeNumber(row, 'over') ?? now)
      }
      return fresh.sort(worstFirst)
    })

  const vulnerabilitiesOf = (image: number): RememberedVulnerability[] =>
    all(`${vulnerabilitySql} AND v.over IS NULL`, { image }).map(vulnerabilityOf).sort(worstFirst)

  const heldIn = (image: number, { package: wanted, vulnerability }: WhoQuestion): Held[] => {
    if (wanted === undefined && vulnerability === undefined)
      return [{ package: undefined, vulnerabilities: vulnerabilitiesOf(image).slice(0, mostShown) }]
    const [condition, values] = wanted === undefined ? ['1', {}] : packageCondition(wanted)
    const affected =
      vulnerability === undefined
        ? ''
        : `AND EXISTS (SELECT 1 FROM vulnerability_name n JOIN image_vulnerability v ON v.id = n.vulnerability
             WHERE n.name = :vulnerability AND v.image = c.image AND v.package = p.id AND v.over IS NULL)`
    const found = all(
      `SELECT p.id, p.purl, p.type, p.name, p.version FROM image_package c JOIN package p ON p.id = c.package
       WHERE c.image = :image AND (${condition}) ${affected} ORDER BY p.name, p.version, p.purl LIMIT ${mostShown}`,
      { image, ...values, ...(vulnerability === undefined ? {} : { vulnerability }) },
    )
    return found.map(row => ({
      package: { purl: textOf(row, 'purl'), type: textOf(row, 'type'), name: textOf(row, 'name'), version: textOf(row, 'version') },
      vulnerabilities: all(`${vulnerabilitySql} AND v.package = :package AND v.over IS NULL`, { image, package: numberOf(row, 'id') })
        .map(vulnerabilityOf)
        .filter(({ names }) => vulnerability === undefined || names.includes(vulnerability))
        .sort(worstFirst)
        .slice(0, mostShown),
    }))
  }

  /** Images that might have it, by what is indexed. */
  const candidates = ({ package: wanted, vulnerability, image }: WhoQuestion): Row[] => {
    const [condition, values] = wanted === undefined ? ['1', {}] : packageCondition(wanted)
    const conditions = [
      ...(wanted === undefined ? [] : [`id IN (SELECT c.image FROM package p JOIN image_package c ON c.package = p.id WHERE ${condition})`]),
      ...(vulnerability === undefined
        ? []
        : [`id IN (SELECT v.image FROM vulnerability_name n JOIN image_vulnerability v ON v.id = n.vulnerability WHERE n.name = :vulnerability)`]),
    ]
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
    const rows = all(`SELECT id, digest, names FROM image ${where}`, { ...values, ...(vulnerability === undefined ? {} : { vulnerability }) })
    return image === undefined
      ? rows
      : rows.filter(row => isDigest(textOf(row, 'digest'), image) || isCalled(Texts.parse(JSON.parse(textOf(row, 'names'))), image))
  }

  const who: Inventory['who'] = question => {
    const rows: WhoRow[] = []
    const teams = question.teams === undefined || question.teams === 'all' ? null : JSON.stringify(question.teams)
    for (const found of candidates(question)) {
      const digest = textOf(found, 'digest')
      const uses = all(usesSql, { image: digest, running: question.running ? 1 : 0, since: question.since ?? 0, limit: question.limit + 1, teams })
      if (uses.length === 0) continue
      const held = heldIn(numberOf(found, 'id'), question)
      const names = Texts.parse(JSON.parse(textOf(found, 'names')))
      for (const use of uses) {
        for (const each of held) {
          rows.push({
            ...pastUseOf(use),
            image: { digest, names },
            ...each,
          })
        }
      }
    }
    rows.sort((left, right) => Number(right.running > 0) - Number(left.running > 0) || right.from - left.from)
    const unknown = all(
      `SELECT DISTINCT origin ->> '$.image' AS digest FROM instance
       WHERE started_at IS NOT NULL AND origin ->> '$.image' IS NOT NULL AND origin ->> '$.image' NOT IN (SELECT digest FROM image)
         AND (:teams IS NULL OR environment IN (SELECT id FROM environment WHERE team IN (SELECT value FROM json_each(:teams)))) LIMIT 100`,
      { teams },
    ).map(row => textOf(row, 'digest'))
    return { rows: rows.slice(0, question.limit), more: rows.length > question.limit, unknown }
  }

  return {
    stale: (scanner, data, now, limit) => all(staleSql, { scanner, data: data ?? null, now, limit }).map(row => textOf(row, 'digest')),
    image: digest => {
      const [row] = all('SELECT * FROM image WHERE digest = :digest', { digest })
      return row && imageOf(row)
    },
    images: () => all('SELECT * FROM image ORDER BY digest').map(imageOf),
    history: (digest, limit) => all(usesSql, { image: digest, running: 0, since: 0, limit, teams: null }).map(pastUseOf),
    packages: digest =>
      all(
        `SELECT p.* FROM image JOIN image_package c ON c.image = image.id JOIN package p ON p.id = c.package WHERE image.digest = :digest
         ORDER BY p.name, p.purl`,
        { digest },
      ).map(row => ({
        ...{ type: PackageType.parse(row['type']), name: textOf(row, 'name'), version: textOf(row, 'version'), purl: textOf(row, 'purl') },
        ...(row['source_name'] === '' ? {} : { source: { name: textOf(row, 'source_name'), version: textOf(row, 'source_version') } }),
        ...(row['architecture'] === '' ? {} : { architecture: textOf(row, 'architecture') }),
        ...{ licenses: [], paths: [] },
      })),
    vulnerabilities: digest => {
      const image = idOf(digest)
      return image === undefined ? [] : vulnerabilitiesOf(image)
    },
    remember,
    uses: digest =>
      all(
        `SELECT environment, workload, min(started_at) AS first FROM instance
         WHERE started_at IS NOT NULL AND origin ->> '$.image' = :digest GROUP BY environment, workload HAVING sum(state = 'running') > 0`,
        { digest },
      ).map(row => ({ environment: textOf(row, 'environment'), workload: textOf(row, 'workload'), from: numberOf(row, 'first') })),
    running: () =>
      all(
        "SELECT DISTINCT origin ->> '$.image' AS digest FROM instance WHERE state IN ('pending', 'created', 'running') AND state = 'running'",
      ).flatMap(row => (row['digest'] === null ? [] : [textOf(row, 'digest')])),
    who,
    prune: wall =>
      transaction(() => {
        const going = all(
          `SELECT id FROM image WHERE scanned_at < :wall AND matched_at < :wall AND NOT EXISTS (
             SELECT 1 FROM instance WHERE started_at IS NOT NULL AND origin ->> '$.image' = image.digest)`,
          { wall },
        )
        if (going.length === 0) return 0
        for (const row of going) run('DELETE FROM image WHERE id = :id', { id: numberOf(row, 'id') })
        run('DELETE FROM package WHERE id NOT IN (SELECT package FROM image_package) AND id NOT IN (SELECT package FROM image_vulnerability)', {})
        return going.length
      }),
  }
}
