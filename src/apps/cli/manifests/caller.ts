import { userInfo } from 'node:os'

/** Who asks, as policies see it. */
export const username = (): string => {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? '') // A number that /etc/passwd does not know.
  }
}
