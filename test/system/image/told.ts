/** What dayfly-unpack tells on fd 3, read back. */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRecordReader } from '../../../src/scan/records.ts'
import { keywordList } from '../../../src/scan/secret-search.ts'
import type { Seen } from '../../../src/scan/seen.ts'
import { unpackBinary } from './unpacker.ts'

export interface Told {
  readonly code: number | null
  readonly stderr: string
  readonly seen: readonly Seen[]
  readonly end: { readonly bytes: number; readonly entries: number } | undefined
}

/** `pieces`: how the records come to their reader, bytes at a time. */
export const tell = (
  archive: Buffer,
  keywords: readonly string[],
  { binary = unpackBinary, pieces = 65_536, args = [] as readonly string[] } = {},
): Told => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-told-'))
  try {
    mkdirSync(join(folder, 'layer'))
    writeFileSync(join(folder, 'keywords'), keywordList(keywords))
    const records = openSync(join(folder, 'records'), 'w')
    const { status, stderr } = spawnSync(binary, [join(folder, 'layer'), '--scan', join(folder, 'keywords'), ...args], {
      input: archive,
      stdio: ['pipe', 'pipe', 'pipe', records],
      env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0:exitcode=99', UBSAN_OPTIONS: 'exitcode=98' },
    })
    closeSync(records)
    const seen: Seen[] = []
    const reader = createRecordReader(each => seen.push(each))
    const bytes = readFileSync(join(folder, 'records'))
    for (let at = 0; at < bytes.length; at += pieces) reader.feed(bytes.subarray(at, at + pieces))
    return { code: status, stderr: stderr.toString(), seen, end: reader.end }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
