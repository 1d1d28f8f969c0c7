/**
 * The steps of a start, as telemetry names them. `admit`: policies were asked. `image`: it was found, or pulled. `network`: a cell in its network. `mount`: layers
 * and volumes were mounted and the container was made; none of what was prepared. `dedicate`: it became this instance's: names, egress, secrets, log, deadline.
 * `run`: its first instruction. `ready`: until it runs and is healthy.
 */
export const startSteps = ['admit', 'image', 'network', 'mount', 'dedicate', 'run', 'ready'] as const
export type StartStep = (typeof startSteps)[number]

/** Monotonic ms, as `performance.now()` counts them. */
export interface StepTimes {
  readonly step: StartStep
  readonly began: number
  readonly ended: number
  /** Why it failed. */
  readonly failure: string | undefined
}

/** Is told of steps that an instance's start has taken. Must not throw. */
export type OnStep = (instance: string, times: StepTimes) => void
