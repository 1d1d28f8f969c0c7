/** What an instance sees beside its image: volumes, folders of the project, memory file systems and configuration files. */
import { z } from 'zod'

/** A volume or configuration of an environment, or one of its networks. */
export const ResourceName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/, 'letters, digits, `_`, `.` and `-`, at most 128')

const Path = z
  .string()
  .refine(path => path.startsWith('/') && !path.includes('\0') && !path.split('/').includes('..'), 'an absolute path without `..`')
/** The root itself is the image's. */
const Target = Path.refine(path => path.replaceAll('/', '') !== '', 'a path below /')
const Mode = z.int().min(0).max(0o7777)

export const Mount = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('volume'),
    volume: ResourceName,
    target: Target,
    readOnly: z.boolean(),
    /** A folder in the volume, which must exist by then. */
    subpath: z
      .string()
      .regex(/^[^/\0]+(\/[^/\0]+)*$/, 'a relative path')
      .refine(path => !path.split('/').includes('..'), 'a path without `..`')
      .optional(),
    /** An empty volume gets what the image has at `target`, owners and modes included. */
    copy: z.boolean(),
  }),
  /** A folder or file of the host that the caller may read. */
  z.object({ type: z.literal('bind'), source: Path, target: Target, readOnly: z.boolean() }),
  /** `size` in bytes; it counts against the memory limit. */
  z.object({ type: z.literal('tmpfs'), target: Target, size: z.int().min(4096), mode: Mode }),
  z.object({ type: z.literal('config'), config: ResourceName, target: Target, uid: z.int().min(0), gid: z.int().min(0), mode: Mode }),
])
export type Mount = z.infer<typeof Mount>
