/** What the documents name exists. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { test } from 'node:test'

const root = resolve(import.meta.dirname, '../..')
const documents = globSync(['*.md', 'docs/**/*.md', 'native/*.md', 'examples/**/*.md'], { cwd: root }).sort()

/** Paths in backquotes that begin with a folder of the repository. */
const namedPaths = (text: string): string[] =>
  [...text.matchAll(/`((?:src|test|native|scripts|bench|docs|examples|bin)\/[^`\s*<>]+|\.[a-z-]+\.(?:mjs|json))`/g)].map(match => match[1] ?? '')

const links = (text: string): string[] =>
  [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(match => match[1] ?? '').filter(link => !/^[a-z]+:/.test(link))

for (const document of documents) {
  const text = readFileSync(join(root, document), 'utf8')

  test(`${document}: the paths it names exist`, () => {
    assert.deepEqual(
      namedPaths(text).filter(path => !existsSync(join(root, path))),
      [],
    )
  })

  test(`${document}: its links lead somewhere`, () => {
    assert.deepEqual(
      links(text).filter(link => !existsSync(join(root, dirname(document), link))),
      [],
    )
  })

  test(`${document}: make targets it names exist`, () => {
    const targets = new Set([...readFileSync(join(root, 'Makefile'), 'utf8').matchAll(/^([a-z-]+):/gm)].map(match => match[1]))
    const named = [...text.matchAll(/(?:^ {4}|`)(?:sudo )?make ([a-z-]+)/gm)].map(match => match[1] ?? '')
    assert.deepEqual(
      named.filter(target => !targets.has(target)),
      [],
    )
  })
}
