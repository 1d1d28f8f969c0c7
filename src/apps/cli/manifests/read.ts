/** Files that are to be judged, and files of policies: from paths to what the policies understand. */
import { DayflyError } from '../../../base/errors.ts'
import type { Assembly } from '../../../policy/assemble.ts'
import { assemble } from '../../../policy/assemble.ts'
import type { PolicyFile } from '../../../policy/kubernetes/files.ts'
import type { Manifest } from '../../../policy/manifests.ts'
import { namespaceLabels, readManifests, requestOf } from '../../../policy/manifests.ts'
import type { PresetName } from '../../../policy/presets/settings.ts'
import { presetNames } from '../../../policy/presets/settings.ts'
import { openSecretSearch } from '../../../scan/secret-search.ts'
import type { GitleaksRules } from '../../../scan/secrets/gitleaks.ts'
import { fieldsOfPod, secretsInFields } from '../../../scan/secrets/given.ts'
import type { Arguments } from '../arguments.ts'
import type { Context } from '../command.ts'
import type { Option } from '../option.ts'
import { documentFiles, readTextFile } from '../paths.ts'
import { saltOfRun } from '../scan/folder.ts'
import { username } from './caller.ts'
import { isComposeText } from './form.ts'
import type { AdmissionSubject } from './subject.ts'

export const policyOptions: readonly Option[] = [
  {
    name: 'preset',
    value: 'NAME',
    help: `Built-in policies: ${presetNames.join(', ')}. Default: what the policy files say, or standard.`,
    completion: presetNames,
  },
  { name: 'policy', value: 'PATH', repeats: true, help: 'Folder or file of policies.', completion: 'file' },
]

export const versionOption: Option = { name: 'version', value: 'VERSION', help: 'Of the Pod Security Standards: latest (default), or like v1.36.' }

/** Throws `invalid` for a path that has no policy file: silence would be taken for policies that allow. */
export const readPolicyFiles = async (paths: readonly string[], field: string): Promise<PolicyFile[]> => {
  const files: PolicyFile[] = []
  for (const path of paths) {
    const found = await documentFiles(path, field)
    if (found.length === 0) {
      throw new DayflyError('invalid', `${field}: there is no .yaml, .yml or .json in ${path}`, {
        field,
        remedy: 'Name a folder or file of policies.',
      })
    }
    for (const each of found) files.push({ path: each, text: await readTextFile(each, field) })
  }
  return files
}

const presetOf = (text: string | undefined): PresetName | undefined => {
  const found = presetNames.find(name => name === text)
  if (text === undefined || found !== undefined) return found
  throw new DayflyError('invalid', `--preset: there is no preset ${text}`, { field: '--preset', remedy: `Write one of ${presetNames.join(', ')}.` })
}

/** As the options say. `looking`: whether rules about what is in images take part. */
export const assembleFor = async (
  args: Arguments,
  options: { readonly looking: boolean; readonly now: number; readonly more?: readonly PolicyFile[] },
): Promise<Assembly> => {
  const { looking, now, more = [] } = options
  const files = [...(await readPolicyFiles(args.list('policy'), '--policy')), ...more]
  const podSecurityVersion = args.text('version')
  if (podSecurityVersion !== undefined && !/^(latest|v?1\.\d{1,4})$/.test(podSecurityVersion)) {
    throw new DayflyError('invalid', `--version: "${podSecurityVersion}" is no version of Kubernetes`, {
      field: '--version',
      remedy: 'Write latest, or a version like v1.36.',
    })
  }
  return assemble(files, { preset: presetOf(args.text('preset')), podSecurityVersion, looking, now })
}

const ofManifests = (manifests: readonly Manifest[], now: number): AdmissionSubject[] => {
  const labels = namespaceLabels(manifests)
  const user = username()
  return manifests.map(manifest => {
    const { file, line, name } = manifest
    return { ...{ file, line, name, refused: [] }, lineOf: field => manifest.lineOf(field), requests: [requestOf(manifest, labels, user, now)] }
  })
}

/** With the secrets that are in the requests themselves. */
const searched = (subjects: readonly AdmissionSubject[], gitleaks: readonly GitleaksRules[]): AdmissionSubject[] => {
  const { inFields } = openSecretSearch({ salt: saltOfRun() }, gitleaks)
  return subjects.map(subject => ({
    ...subject,
    requests: subject.requests.map(request => ({ ...request, given: secretsInFields(fieldsOfPod(request.object), inFields) })),
  }))
}

/** Of all files, in their order. `gitleaks`: rules for secrets beside Dayfly's own. Throws `invalid` or `not_found` naming file and line. */
export const readSubjects = async (
  context: Pick<Context, 'env'>,
  paths: readonly string[],
  now: number,
  gitleaks: readonly GitleaksRules[] = [],
): Promise<AdmissionSubject[]> => {
  const manifests: Manifest[] = []
  const composed: AdmissionSubject[] = []
  for (const path of paths) {
    const files = await documentFiles(path, 'FILE')
    if (files.length === 0)
      throw new DayflyError('invalid', `FILE: there is no .yaml, .yml or .json in ${path}`, {
        field: 'FILE',
        remedy: 'Name a folder or file of manifests.',
      })
    for (const file of files) {
      const text = await readTextFile(file, 'FILE')
      if (isComposeText(text)) {
        const { composeSubjects } = await import('./compose.ts')
        composed.push(...(await composeSubjects(context, file, text, now)))
      } else manifests.push(...readManifests({ path: file, text }))
    }
  }
  const subjects = [...ofManifests(manifests, now), ...composed]
  if (subjects.length > 0) return searched(subjects, gitleaks)
  throw new DayflyError('invalid', `FILE: ${paths.join(', ')} has no document`, {
    field: 'FILE',
    remedy: 'Name manifests or compose files that say something.',
  })
}
