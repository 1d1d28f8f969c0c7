/** From a rule as data to one that matches. */
import RE2 from 're2'
import type { Severity } from '../../model/finding.ts'
import { entropyOf } from './entropy.ts'
import { isPlaceholder, isReference, judgePassword } from './placeholders.ts'
import type { Match, OwnRule, Rule } from './rule.ts'
import { once } from './rule.ts'

const remedy = 'Revoke it at its issuer, take it out of the files and give it at run time as a secret.'

/** How severe a chosen password is by what is thought of it. In files a default is documentation more often than a way in. */
const chosenSeverity = (rule: OwnRule, found: Match): Severity | undefined => {
  const judgement = judgePassword(found.secret, found.match.slice(0, 200).replace(found.secret, ' '))
  if (judgement === 'strong') return rule.severity
  if (found.path !== undefined) return judgement === 'weak' && rule.generic !== true ? 'medium' : undefined
  return judgement === 'weak' ? 'medium' : judgement === 'default' ? 'low' : undefined
}

export const compileOwnRule = (rule: OwnRule): Rule => {
  const allow = (rule.allow ?? []).map(pattern => once(() => new RE2(pattern)))
  const judge = (found: Match): Severity | undefined => {
    const { secret } = found
    if (rule.entropy !== undefined && entropyOf(secret) <= rule.entropy) return undefined
    if (allow.some(pattern => pattern().test(secret))) return undefined
    if (rule.check !== undefined && !rule.check(secret)) return undefined
    if (rule.chosen === true) return chosenSeverity(rule, found)
    return isPlaceholder(secret) || isReference(secret) ? undefined : rule.severity
  }
  const { path, notPath } = rule
  return {
    id: rule.id,
    title: rule.title,
    severity: rule.severity,
    remedy: rule.remedy ?? remedy,
    keywords: rule.keywords,
    pattern: once(() => new RE2(rule.pattern, 'gd')),
    group: 'first',
    path: path === undefined ? undefined : once(() => new RE2(path)),
    notPath: notPath === undefined ? undefined : once(() => new RE2(notPath)),
    generic: rule.generic === true,
    own: true,
    inFields: rule.inFields ?? rule.keywords.length > 0,
    mostAttempts: 4000,
    judge,
    definition: { ...rule, check: rule.check?.name },
  }
}
