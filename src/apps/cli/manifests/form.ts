/** Which kind of file a text is: by what is in it, whatever it is called. */
import { isMap, parseAllDocuments } from 'yaml'
import { isNestedDeeper } from '../../../base/yaml-nesting.ts'

/** No compose file is longer, or has more levels of brackets. */
const longest = 4 * 1024 * 1024
const deepest = 200

/** A compose file has services (or includes some), and is no Kubernetes object. What cannot be parsed is none: whoever reads it says what is wrong. */
export const isComposeText = (text: string): boolean => {
  if (!/\b(services|include)\b/.test(text) || text.length > longest || isNestedDeeper(text, deepest)) return false
  try {
    const [first] = [...parseAllDocuments(text, { uniqueKeys: false, logLevel: 'silent', strict: false })]
    const contents = first?.contents
    return isMap(contents) && !contents.has('apiVersion') && (contents.has('services') || contents.has('include'))
  } catch {
    return false
  }
}
