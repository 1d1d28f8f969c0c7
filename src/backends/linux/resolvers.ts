/** The name servers of environments, by the helper's hands. */
import { existsSync } from 'node:fs'
import { DayflyError } from '../../base/errors.ts'
import { resolverUser } from '../../host/dns/build.ts'
import { ask } from '../../host/dns/query.ts'
import type { ResolverHost } from '../../host/dns/resolver.ts'
import type { Resolvers } from '../../host/dns/resolvers.ts'
import { openResolvers } from '../../host/dns/resolvers.ts'
import type { Helper } from '../../host/native/helper.ts'

const programs = ['/usr/sbin/dnsmasq', '/usr/local/sbin/dnsmasq', '/usr/bin/dnsmasq']

const installed = (): string => {
  const program = programs.find(existsSync)
  if (program !== undefined) return program
  throw new DayflyError('host', 'dnsmasq is not installed on this host: environments have no names without it', {
    remedy: 'Install it: apt-get install dnsmasq-base',
  })
}

/** `root`: a folder below the run folder. dnsmasq is looked for when one is started. */
export const resolversBy = (helper: Helper, root: string, onQuestion?: ResolverHost['onQuestion']): Resolvers =>
  openResolvers(root, {
    get program() {
      return installed()
    },
    ...resolverUser(),
    makePipe: path => helper.pipeAdd(path),
    spawn: (log, program, args) => helper.spawnLogging(log, program, args),
    kill: (process, signal) => helper.kill(process, signal),
    ask,
    ...(onQuestion === undefined ? {} : { onQuestion }),
  })
