/** The services of a compose file as the pods that they would be. */
import { resolve as absolute, dirname } from 'node:path'
import { given } from '../../../base/given.ts'
import { admit } from '../../../compose/admit.ts'
import type { Drafted } from '../../../compose/draft.ts'
import { draftOf } from '../../../compose/draft.ts'
import type { Problem } from '../../../compose/problems.ts'
import { InvalidCompose } from '../../../compose/problems.ts'
import type { Resolved } from '../../../compose/resolve.ts'
import { resolve } from '../../../compose/resolve.ts'
import type { Sources } from '../../../compose/sources.ts'
import type { WorkloadDraft } from '../../../model/draft.ts'
import { EnvironmentDraft } from '../../../model/draft.ts'
import type { Objection } from '../../../policy/decision.ts'
import { unseen } from '../../../policy/manifests.ts'
import type { PodSource } from '../../../policy/workload-pod.ts'
import { podOfWorkload } from '../../../policy/workload-pod.ts'
import type { Context } from '../command.ts'
import { composeSources } from '../project.ts'
import { username } from './caller.ts'
import { composePath } from './compose-fields.ts'
import type { AdmissionSubject } from './subject.ts'

/**
 * Nobody has looked at the image: where the file names no user it may run as root, and is judged so. A user that is a name is some number that is not known.
 */
const sourceOf = (draft: WorkloadDraft, secrets: readonly string[]): PodSource => ({
  command: draft.entrypoint === undefined ? draft.command : [...draft.entrypoint, ...(draft.command ?? [])],
  ...{ image: draft.image, env: draft.env, user: draft.user ?? '', uid: draft.user === undefined ? 0 : undefined },
  ...{ workdir: draft.workdir, readOnly: draft.readOnly, capabilities: draft.capabilities, limits: given(draft.limits), runtime: draft.runtime },
  ...{ tty: draft.tty, stdin: draft.stdin, secrets, mounts: draft.mounts ?? [], sysctls: draft.sysctls ?? {}, expose: draft.deployment.expose },
  health: draft.deployment.health ?? undefined,
  labels: draft.labels ?? {},
})

/** The name is the policy's, as `dayfly up` and `dayfly config` tell it. */
const refusal = ({ path, message, remedy, policy = '' }: Problem): Objection => ({
  ...{ policy: 'compose', rule: policy, message, field: path },
  ...(remedy === undefined ? {} : { remedy }),
})

const ofServices = ({ draft, secrets }: Drafted, resolved: Resolved, file: string, now: number): AdmissionSubject[] => {
  const environment = EnvironmentDraft.parse(draft)
  const about = { name: environment.name, labels: environment.labels }
  const user = username()
  return Object.entries(environment.workloads).map(([name, workload]) => {
    const files = Object.values(secrets).flatMap(secret => secret.files.filter(each => each.workload === name).map(each => each.file))
    const line = Math.max(1, resolved.locate(['services', name]).line)
    const pathOf = (field: string): string[] => composePath(name, resolved.project.services[name] ?? {}, field)
    return {
      ...{ file, line, name: `service/${name}`, refused: [], fieldOf: field => pathOf(field).join('.') },
      lineOf: field => Math.max(1, resolved.locate(pathOf(field)).line),
      requests: [
        {
          ...{
            object: podOfWorkload(about, name, sourceOf(workload, files)),
            namespace: about.name,
            namespaceLabels: about.labels,
            operation: 'CREATE',
          },
          userInfo: { username: user, groups: [] },
          ...{ instance: { workload: name, ...workload }, environment: about, images: { [name]: unseen(workload.image) }, now },
        },
      ],
    }
  })
}

/** One subject for each service; or one for the file, when Dayfly refuses something of it. Throws `InvalidCompose` for a file that is none. */
export const composeSubjects = async (context: Pick<Context, 'env'>, file: string, text: string, now: number): Promise<AdmissionSubject[]> => {
  const env = Object.fromEntries(Object.entries(context.env).filter((pair): pair is [string, string] => pair[1] !== undefined))
  const path = file === '-' ? '/dev/stdin' : absolute(file)
  const folder = file === '-' ? process.cwd() : dirname(path)
  // It has been read: standard input cannot be read twice.
  const sources: Sources = { ...composeSources, read: async wanted => (wanted === path ? text : await composeSources.read(wanted)) }
  const resolved = await resolve({ files: [path], projectFolder: folder, env, profiles: ['*'], sources })
  const dayfly = await admit(resolved, sources)
  try {
    resolved.problems.throwIfAny()
  } catch (error) {
    if (!(error instanceof InvalidCompose) || error.problems.some(({ policy }) => policy === undefined)) throw error
    const lines = new Map(error.problems.map(problem => [problem.path, problem.line]))
    const refused = error.problems.map(refusal)
    return [{ file, line: 1, name: `project/${resolved.project.name}`, lineOf: field => Math.max(1, lines.get(field) ?? 1), requests: [], refused }]
  }
  return ofServices(draftOf({ project: resolved.project, dayfly }), resolved, file, now)
}
