import { BadAnswer } from './response-parser.ts'

/** What the gateway answers by itself: problem details (RFC 9457) for programs, a page for people. */
export interface Problem {
  readonly status: number
  readonly title: string
  /** One or two sentences: what happened to whom, and what to do about it. */
  readonly detail: string
  /** Seconds. */
  readonly retryAfter?: number
}

/** A workload as its users know it. */
export interface Named {
  readonly workload: string
  readonly environment: string
}

const name = (of: Named): string => `"${of.workload}" (environment ${of.environment})`

export const badRequest = (detail: string): Problem => ({ status: 400, title: 'Bad request', detail })

export const notHere = (host: string): Problem => ({
  status: 404,
  title: 'Nothing has this name',
  detail: `No environment here has the name "${host}". It may have ended and been forgotten. \`dayfly ps\` lists yours with their URLs.`,
})

export const misdirected = (host: string): Problem => ({
  status: 421,
  title: 'Not a name of this gateway',
  detail: `This is the gateway of Dayfly, and "${host}" is not under one of its domains. Ask for a workload by its URL; \`dayfly ps\` lists yours.`,
})

export const gone = (of: Named, reason: string): Problem => ({
  status: 410,
  title: 'The environment has ended',
  detail: `${name(of)} is gone: ${reason}`,
})

export const removed = (of: Named): Problem => ({
  status: 503,
  title: 'The workload was taken away',
  detail: `${name(of)} was taken away while this request waited for it.`,
})

export const crowded = (of: Named, waiting: number): Problem => ({
  status: 503,
  title: 'Too many requests wait',
  detail: `${waiting} requests wait for ${name(of)} already.`,
  retryAfter: 1,
})

export const waitedTooLong = (of: Named, ms: number, why: string): Problem => ({
  status: 503,
  title: 'No instance was free in time',
  detail: `The request waited ${Math.round(ms / 1000)} s for ${name(of)}: ${why}.`,
  retryAfter: 2,
})

export const wakeFailed = (of: Named, message: string): Problem => ({
  status: 503,
  title: 'The workload could not be started',
  detail: `${name(of)} could not be started: ${message}`,
  retryAfter: 5,
})

export const badGateway = (of: Named, what: string): Problem => ({
  status: 502,
  title: 'The workload did not answer properly',
  detail: `${name(of)} ${what}.`,
})

export const tooSlow = (of: Named, ms: number): Problem => ({
  status: 504,
  title: 'The workload did not answer in time',
  detail: `${name(of)} has the request, and has not begun to answer within ${Math.round(ms / 1000)} s.`,
})

export const clientTooSlow = (ms: number): Problem => ({
  status: 408,
  title: 'The request did not arrive',
  detail: `Nothing of the request's body came for ${Math.round(ms / 1000)} s.`,
})

const meanings: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections: does it listen on its port, and on all addresses of its network, not on its own 127.0.0.1 only',
  ECONNRESET: 'broke the connection off before it answered',
  EPIPE: 'broke the connection off before it answered',
  ETIMEDOUT: 'could not be connected to in time',
  EHOSTUNREACH: 'cannot be reached on its network',
  ENETUNREACH: 'cannot be reached on its network',
  ERR_HTTP2_ERROR: 'does not speak HTTP/2 in the clear (h2c)',
  ERR_HTTP2_STREAM_ERROR: 'reset the stream before it answered',
}

/** What an error of a connection to an instance means, in words that follow the workload's name. */
export const inWords = (error: Error): string => {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (error instanceof BadAnswer) return `answered with ${error.message}`
  return meanings[code] ?? `failed: ${error.message}`
}

const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, found => `&#${found.charCodeAt(0)};`)

/** Content type and body of a problem, as the client's Accept header asks for. */
export const render = (problem: Problem, accept: string | undefined): { readonly type: string; readonly body: string } => {
  if (accept?.includes('text/html') !== true) {
    const { status, title, detail } = problem
    return { type: 'application/problem+json', body: `${JSON.stringify({ title, status, detail })}\n` }
  }
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${problem.status} ${escaped(problem.title)}</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 15vh auto; padding: 0 1rem; color-scheme: light dark }</style>
<h1>${escaped(problem.title)}</h1>
<p>${escaped(problem.detail)}</p>
<p><small>${problem.status} · Dayfly</small></p>
</html>
`
  return { type: 'text/html; charset=utf-8', body }
}

/** Headers of a problem's answer, as flat pairs. */
export const problemHeaders = (problem: Problem, type: string, length: number): string[] => [
  ...['content-type', type, 'content-length', String(length), 'cache-control', 'no-store', 'x-content-type-options', 'nosniff'],
  ...(problem.retryAfter === undefined ? [] : ['retry-after', String(problem.retryAfter)]),
]
