/** Names for what the API takes and answers. api-types.ts is made from its description: `make docs`. */
import type { components } from './api-types.ts'

type Schemas = components['schemas']

export type EnvironmentInfo = Schemas['Environment']
export type InstanceInfo = Schemas['Instance']
export type WorkloadInfo = Schemas['Workload']
export type ChangeInfo = Schemas['Change']
export type Warning = Schemas['Warning']
export type FileEntry = Schemas['FileEntry']
export type FileChange = Schemas['FileChange']
export type RunRequest = Schemas['RunRequest']
export type UpRequest = Schemas['UpRequest']
export type RecordEvent = Schemas['Event']
export type Limits = NonNullable<RunRequest['limits']>
export type EgressRule = NonNullable<RunRequest['egress']>[number]
