/** Slack's incoming webhooks, and what takes the same JSON (Mattermost, Rocket.Chat, Discord's /slack). */
import type { Notice } from './notice.ts'
import { facts, isUrgentEnough, plain } from './notice.ts'

/** Slack's own three: what else is formatting is left to be text, by telling it not to look for any. */
const escaped = (text: string): string => plain(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const short = (text: string, longest: number): string => (text.length > longest ? `${text.slice(0, longest)}…` : text)

export const slackMessage = (notice: Notice): unknown => {
  const { priority, text, rule, host, left, time } = notice
  const colour = isUrgentEnough(priority, 'error') ? '#d32f2f' : isUrgentEnough(priority, 'warning') ? '#f9a825' : '#607d8b'
  const title = `${priority}: ${rule ?? text}`
  const more = left > 0 ? ` (${left} more were left out)` : ''
  return {
    text: escaped(short(`${title}${more}`, 500)),
    attachments: [
      {
        color: colour,
        fallback: escaped(short(text, 500)),
        text: escaped(short(text, 3000)),
        mrkdwn_in: [],
        fields: facts(notice).map(([name, value]) => ({ title: name, value: escaped(short(value, 500)), short: value.length < 40 })),
        footer: escaped(`dayfly on ${host}`),
        ts: Math.floor(time / 1000),
      },
    ],
  }
}
