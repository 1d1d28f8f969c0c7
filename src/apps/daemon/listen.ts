/** Listening on a unix socket that only its owner (and a group, if one is named) can open. */
import { chmodSync, chownSync, readFileSync, rmSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import { DayflyError } from '../../base/errors.ts'

/** Longest path of a unix socket, in bytes (sun_path without its NUL). */
const longestPath = 107

const groupId = (name: string): number => {
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find(entry => entry.startsWith(`${name}:`))
  const id = Number(line?.split(':')[2] ?? Number.NaN)
  if (!Number.isInteger(id))
    throw new DayflyError('invalid', `--group: there is no group ${name}`, { field: '--group', remedy: `Make it with groupadd ${name}.` })
  return id
}

/**
 * The caller holds the folder's lock: a socket that is there already is a dead daemon's. It is born with mode 0600 and opened to the group only
 * once it is there, so at no moment to anybody else.
 */
export const listen = async (app: FastifyInstance, path: string, group: string | undefined): Promise<void> => {
  const id = group === undefined ? undefined : groupId(group)
  if (Buffer.byteLength(path) > longestPath) {
    throw new DayflyError('invalid', `--run-dir: the socket's path ${path} is longer than ${longestPath} bytes`, {
      field: '--run-dir',
      remedy: 'Choose a shorter folder.',
    })
  }
  rmSync(path, { force: true })
  const before = process.umask(0o177)
  try {
    await app.listen({ path })
  } finally {
    process.umask(before)
  }
  if (id === undefined) return
  chownSync(path, -1, id)
  chmodSync(path, 0o660)
}
