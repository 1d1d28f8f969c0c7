/** How the instances of a workload are kept running: how many, in which order, when they are well, who may reach them. */
import { z } from 'zod'
import { ResourceName } from './mount.ts'

const Port = z.int().min(1).max(65_535)
/** ms, at most a day. */
const Duration = z.int().min(0).max(86_400_000)

export const RestartPolicy = z.object({
  /** `unless-stopped` is `always` here: an instance that somebody stopped stays stopped with either, for an environment does not outlive its host's boot. */
  condition: z.enum(['no', 'on-failure', 'always', 'unless-stopped']),
  /** Restarts without a success in between, at most; 0 for no bound. */
  attempts: z.int().min(0),
  /** ms before the first restart; doubles with each that fails, up to a minute. */
  delay: Duration,
  /** ms that it must have run for its start to count as a success. */
  window: Duration,
})
export type RestartPolicy = z.infer<typeof RestartPolicy>
export const noRestart: RestartPolicy = { condition: 'no', attempts: 0, delay: 100, window: 10_000 }

/** As docker's: it is healthy from the first success, unhealthy from `retries` failures in a row. */
export const HealthCheck = z.object({
  /** argv, run in the instance as its own user; exit code 0 is well. */
  command: z.array(z.string()).min(1),
  /** ms from the end of a check to the beginning of the next. */
  interval: Duration.min(10),
  timeout: Duration.min(1),
  retries: z.int().min(1),
  /** ms after the start in which failures do not count. */
  startPeriod: Duration,
  /** In place of `interval` during the start period. */
  startInterval: Duration.min(10),
})
export type HealthCheck = z.infer<typeof HealthCheck>

export const DependencyCondition = z.enum(['started', 'healthy', 'completed'])
export const Dependency = z.object({
  condition: DependencyCondition,
  /** Without it, a dependency that does not exist or fails holds nobody up. */
  required: z.boolean(),
  /** When the dependency is changed by an update, this one is restarted too. */
  restart: z.boolean(),
})
export type Dependency = z.infer<typeof Dependency>

export const Scale = z
  .object({
    min: z.int().min(0).max(60),
    max: z.int().min(0).max(60),
    /** Requests in flight at each instance, or its share of its CPU limit in per cent. Without it, `min` equals `max`. */
    target: z.union([z.strictObject({ concurrency: z.int().min(1) }), z.strictObject({ cpu: z.int().min(1).max(100) })]).optional(),
    /** ms that demand must have been low before there are fewer. */
    window: Duration,
  })
  .refine(({ min, max }) => min <= max, 'min is more than max')
  .refine(({ min, max, target }) => target !== undefined || min === max, 'a range needs a target to scale by')
export type Scale = z.infer<typeof Scale>

/** A port that the gateway leads to. */
export const Exposure = z.object({
  port: Port,
  /** `http` and `h2c` by host name; `tcp` by a port of the loopback. */
  protocol: z.enum(['http', 'h2c', 'tcp']),
  /** Of `tcp`: 0 for a free one. */
  published: z.int().min(0).max(65_535).optional(),
  /** Of the others: one more name, one label below a domain of the gateway, in lower case. The environment's own until it ends. */
  host: z
    .string()
    .max(253)
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/, 'a host name in lower case, like shop.preview.example.org')
    .optional(),
})
export type Exposure = z.infer<typeof Exposure>

export const Deployment = z.object({
  scale: Scale,
  restart: RestartPolicy,
  health: HealthCheck.optional(),
  /** By workload name. */
  dependsOn: z.record(z.string(), Dependency),
  /** The networks it is on, by name, with the other names that it has there. Empty: the environment's one network. */
  networks: z.record(ResourceName, z.object({ aliases: z.array(z.string()) })),
  expose: z.array(Exposure),
  /** In an update: whether the new instance is well before the old one goes. Two on one volume at once is what `stop-first` is for. */
  update: z.object({ order: z.enum(['start-first', 'stop-first']), parallelism: z.int().min(1) }),
})
export type Deployment = z.infer<typeof Deployment>
