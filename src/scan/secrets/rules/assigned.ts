/** Pattern of a value that only its name gives away: `ACME_API_KEY=…`, `acme.token: "…"`, `"acmeKey": "…"`. Both are patterns; the name in either case. */
export const assigned = (name: string, value: string): string =>
  `(?i:${name})[A-Za-z0-9_.-]{0,24}["'\\]]{0,2}[ \\t]{0,8}(?:=>|:=|[:=,])[ \\t]{0,8}["'\`]?(${value})(?:[^A-Za-z0-9_/+=-]|$)`
