import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { encodePath } from '../../host/sensor/protocol.ts'
import { formatDiagnostic } from '../language/diagnostic.ts'
import { loadRules } from '../language/load.ts'
import { numberOf, rulesDocument } from './document.ts'
import { ownRules } from './own.ts'
import { sensitivePaths, writePaths } from './watched.ts'

describe("Dayfly's own rules", () => {
  const { rules, patterns, errors, warnings } = loadRules(ownRules())
  const all = [...rules, ...patterns]

  it('load without an error or a doubt, and each can match', () => {
    assert.deepEqual([...errors, ...warnings].map(formatDiagnostic), [])
    assert.deepEqual(
      all.filter(each => ('isInert' in each ? each.isInert : each.steps.some(({ rule }) => rule.isInert))).map(({ name }) => name),
      [],
    )
  })

  it('have a number of their own, a tactic and a technique of ATT&CK, and say why', () => {
    assert.equal(new Set(all.map(({ tags }) => numberOf(tags))).size, all.length)
    for (const { name, tags, description } of all) {
      assert.match(numberOf(tags), /^DFY-\d{3}$/, name)
      assert.ok(tags.some(tag => tag.startsWith('mitre_')) && tags.some(tag => /^T\d{4}(\.\d{3})?$/.test(tag)), name)
      assert.ok(description.length > 60, name)
    }
  })

  it('stand in docs/rules.md', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../docs/rules.md'), 'utf8')
    assert.equal(/<!-- rules -->\n(.*?)<!-- end of rules -->/s.exec(text)?.[1], rulesDocument())
  })

  it('are tried on the real kernel, each by what it is about and by what it is not', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../test/system/detection.test.ts'), 'utf8')
    const tried = all.filter(({ name }) => text.includes(`'${name}'`) || text.includes(`"${name}"`)).map(({ name }) => name)
    assert.deepEqual(
      tried,
      all.map(({ name }) => name),
    )
    assert.ok((text.match(/says: \[\]/g)?.length ?? 0) > all.length)
  })

  it('ask only for paths that the sensor can watch', () => {
    for (const path of [...sensitivePaths, ...writePaths]) assert.ok(encodePath(path).length <= 120)
  })
})
