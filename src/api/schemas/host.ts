/** Wire schemas of the host: what it has, what is promised of it, what is on it. Sizes are bytes, times wall ms. */
import { z } from 'zod'
import { Severity } from '../../model/finding.ts'

export const CapacityView = z
  .object({
    cpus: z.object({ count: z.int(), model: z.string(), load: z.array(z.number()).describe('Over 1, 5 and 15 minutes.') }),
    memory: z.object({
      total: z.number(),
      available: z.number().describe('Without taking it from anybody.'),
      swap: z.number(),
      swapFree: z.number(),
    }),
    disks: z.array(z.object({ path: z.string(), of: z.string().describe('What Dayfly has there.'), size: z.number(), free: z.number() })),
    pids: z.object({ now: z.int().describe('Threads of the whole host.'), most: z.int() }),
    promised: z
      .object({ cpus: z.number(), memory: z.number(), instances: z.int(), environments: z.int() })
      .describe('Limits of all live instances together: what they might use at once.'),
  })
  .meta({ id: 'Capacity' })
export type CapacityView = z.infer<typeof CapacityView>

export const InventorySource = z
  .enum(['osquery', 'files'])
  .describe("`files`: without osqueryi, the same from Debian's own sources: /etc, /proc, dpkg, lsblk.")

export const HostInventoryView = z
  .object({
    source: InventorySource,
    takenAt: z.number(),
    problems: z.array(z.string()).describe('What could not be found out, and why.'),
    os: z.object({ name: z.string(), version: z.string(), codename: z.string(), architecture: z.string() }),
    kernel: z.object({ release: z.string(), version: z.string() }),
    bootedAt: z.number(),
    packages: z.int(),
    users: z.array(
      z.object({
        name: z.string(),
        uid: z.int(),
        gid: z.int(),
        home: z.string(),
        shell: z.string(),
        login: z.boolean().describe('Its shell lets somebody in.'),
      }),
    ),
    listeners: z.array(
      z.object({
        protocol: z.enum(['tcp', 'udp']),
        address: z.string(),
        port: z.int(),
        process: z.string().nullable(),
        pid: z.int().nullable(),
        reach: z.enum(['loopback', 'network']).describe('Who can get there, as far as the address says.'),
      }),
    ),
    disks: z.array(
      z.object({
        name: z.string(),
        type: z.string(),
        size: z.number().nullable(),
        mount: z.string().nullable(),
        fileSystem: z.string().nullable(),
        encrypted: z.boolean(),
      }),
    ),
  })
  .meta({ id: 'HostInventory' })
export type HostInventoryView = z.infer<typeof HostInventoryView>

export const PatchesView = z
  .object({
    takenAt: z.number(),
    listsFrom: z.number().nullable().describe("When apt's lists were fetched last; null: never, so that nothing is known of updates."),
    problems: z.array(z.string()),
    updates: z
      .array(z.object({ name: z.string(), installed: z.string(), candidate: z.string(), security: z.boolean() }))
      .describe('That apt would install.'),
    vulnerabilities: z
      .record(Severity, z.int())
      .nullable()
      .describe("Of the host's packages by Dayfly's vulnerability data; null where there is none."),
    exploited: z.int(),
    worst: z
      .array(
        z.object({
          id: z.string(),
          severity: Severity,
          exploited: z.boolean(),
          package: z.string(),
          version: z.string(),
          fixed: z.string().nullable(),
        }),
      )
      .describe('The first 50 that have a fix.'),
    dataFrom: z.number().nullable(),
  })
  .meta({ id: 'Patches' })
export type PatchesView = z.infer<typeof PatchesView>

export const HostView = z
  .object({
    name: z.string(),
    capacity: CapacityView,
    inventory: HostInventoryView,
    patches: PatchesView.nullable().describe('null: it is being found out; ask again.'),
  })
  .meta({ id: 'Host' })
export type HostView = z.infer<typeof HostView>

export const HostQuery = z.strictObject({
  fresh: z
    .enum(['true', 'false'])
    .default('false')
    .transform(text => text === 'true')
    .describe('Look again, not at what was found within the last minutes.'),
})
