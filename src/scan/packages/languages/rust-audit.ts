/** What cargo-auditable leaves in a program: the section `.dep-v0`, JSON in zlib. */
import { inflateSync } from 'node:zlib'
import type { Content } from '../../catalogue.ts'
import type { Collector } from '../system/collect.ts'
import { Malformed } from '../system/collect.ts'
import type { Elf } from './elf.ts'
import { languagePackage } from './found.ts'
import { listOf, memberOf, parseJson, textOf } from './json.ts'

/** Bytes, as cargo-auditable's own reader bounds them. */
const mostPacked = 4 * 1024 * 1024
const mostUnpacked = 8 * 1024 * 1024

/** Adds the crates of a program that has such a section. Throws `Malformed`. */
export const addAudit = async (content: Content, elf: Elf, path: string, collector: Collector): Promise<void> => {
  const section = elf.sections.find(({ name }) => name === '.dep-v0')
  if (section === undefined) return
  if (section.size > mostPacked) throw new Malformed(`has a list of crates of more than ${mostPacked} bytes`)
  let text: Buffer
  try {
    text = inflateSync(await content.read(section.offset, section.size), { maxOutputLength: mostUnpacked })
  } catch {
    throw new Malformed('has a list of crates that is packed wrongly or too large')
  }
  for (const crate of listOf(memberOf(parseJson(text), 'packages'))) {
    const [name, version] = [textOf(crate, 'name'), textOf(crate, 'version')]
    if (!name || !version) collector.problem(`has a crate without a ${name ? 'version' : 'name'}`)
    // What only ran when it was built is not in it.
    else if (textOf(crate, 'kind') !== 'build') collector.add(languagePackage('cargo', name, version, path))
  }
}
