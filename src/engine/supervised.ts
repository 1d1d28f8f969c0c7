import type { EnvironmentSpec } from '../model/environment.ts'

/** Whether its workloads are kept running (`up`), rather than run once (`run`). */
export const isSupervised = (spec: EnvironmentSpec): boolean => Object.values(spec.workloads).some(({ deployment }) => deployment !== undefined)
