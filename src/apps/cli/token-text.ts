/** A token that is shown this once. */
import type { NewTokenView } from '../../api/schemas/access.ts'
import { timestamp } from './output.ts'

export const newTokenText = ({ name, role, teams, expiresAt, formerUntil, token }: NewTokenView): string => {
  const of = teams === 'all' ? 'all teams' : teams.join(', ')
  const former = formerUntil === null ? '' : `The one before is good until ${timestamp(formerUntil)}.\n`
  return `${token}\n\n${name}: ${role} of ${of}, good until ${timestamp(expiresAt)}. It is shown only now.\n${former}`
}
