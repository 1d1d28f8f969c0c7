/** A folder or files of the caller's, looked at in this process. */
import { randomBytes } from 'node:crypto'
import { basename, matchesGlob } from 'node:path'
import { folderCataloguers } from '../../../scan/cataloguers.ts'
import { scanFolder } from '../../../scan/scan-folder.ts'
import { openSecretSearch } from '../../../scan/secret-search.ts'
import type { GitleaksRules } from '../../../scan/secrets/gitleaks.ts'
import type { VexStatement } from '../../../scan/vulnerabilities/vex.ts'
import { matchVulnerabilities } from './data.ts'
import type { Scanned } from './result.ts'
import type { Subject } from './target.ts'

export interface OwnScanOptions {
  readonly gitleaks: readonly GitleaksRules[]
  readonly skip: readonly string[]
  readonly vex: readonly VexStatement[]
  /** Folder of the vulnerability data. */
  readonly db: string
  /** Wall ms. */
  readonly now: number
  readonly signal: AbortSignal
}

/** Hashes of secrets are compared within one run only: nobody can try passwords on a report. */
export const saltOfRun = (): Uint8Array => randomBytes(16)

/** A pattern with a slash is about the whole path, one without about any name in it. */
export const skipping = (patterns: readonly string[]): ((path: string) => boolean) => {
  const plain = patterns.map(pattern => pattern.replace(/^\.\//, '').replace(/\/+$/, ''))
  return path => plain.some(pattern => matchesGlob(pattern.includes('/') ? path : basename(path), pattern))
}

export const scanOwnFolder = async (subject: Extract<Subject, { kind: 'folder' }>, options: OwnScanOptions): Promise<Scanned> => {
  const { gitleaks, skip, vex, db, now, signal } = options
  const secrets = openSecretSearch({ salt: saltOfRun() }, gitleaks)
  const found = await scanFolder(subject.folder, { cataloguers: folderCataloguers, secrets, only: subject.only, skip: skipping(skip), signal })
  const { packages, distribution } = found
  const matched = await matchVulnerabilities({ packages, distribution, folder: db, vex, now })
  return {
    ...{ target: subject.target, distribution, packages, dataFrom: matched.dataFrom },
    findings: [...found.secrets, ...matched.findings],
    problems: [...found.problems, ...matched.problems],
  }
}
