/** Wire schemas of files in instances. */
import { z } from 'zod'
import { FileChange, FileEntry, FilePath, mostBytes } from '../../model/file.ts'
import { WorkloadSpec } from '../../model/workload.ts'

const Whole = (most: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/, 'must be a whole number')
    .transform(Number)
    .refine(value => value <= most, `must be at most ${most}`)

const Octal = z
  .string()
  .regex(/^[0-7]{3,4}$/, 'must be octal, e.g. 644 or 0755')
  .transform(text => Number.parseInt(text, 8))

export const FileUser = WorkloadSpec.shape.user
  .min(1)
  .describe("As whom it is done: a user of the instance by name or number. Default: the instance's own.")
const Owner = WorkloadSpec.shape.user.min(1).describe('`USER[:GROUP]`, names of the image or numbers, that it is given to; that takes `user=root`.')
const Flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform(text => text === 'true')

export const Place = z.strictObject({ path: FilePath, user: FileUser.optional() })
export const ReadQuery = Place.extend({
  offset: Whole(Number.MAX_SAFE_INTEGER).default(0).describe('First byte.'),
  limit: Whole(mostBytes).default(mostBytes).describe('At most so many bytes.'),
})
export const WriteQuery = Place.extend({
  mode: Octal.optional().describe('Octal. Default: that of the file that was there, or 644.'),
  owner: Owner.optional(),
  parents: Flag.describe('Make the folders above it that are missing.'),
})
export const RemoveQuery = Place.extend({ recursive: Flag.describe('A folder with all that is in it.') })
export const ListQuery = Place.extend({
  depth: Whole(64).default(1).describe('How many levels down; 1 is what is in the folder itself.'),
  limit: Whole(10_000).default(1_000).describe('At most so many entries.'),
})
export const WatchQuery = Place.extend({ recursive: Flag.describe('What is in folders below as well.') })

export const MakeFolderRequest = z
  .strictObject({
    path: FilePath,
    user: FileUser.optional(),
    mode: z
      .string()
      .regex(/^[0-7]{3,4}$/, 'must be octal, e.g. 755')
      .optional()
      .describe('Octal. Default: 755.'),
    owner: Owner.optional(),
    parents: z.boolean().default(false).describe('Make the folders above it that are missing, and take one that is there for made.'),
  })
  .meta({ id: 'MakeFolderRequest' })
export const RenameRequest = z.strictObject({ path: FilePath, to: FilePath, user: FileUser.optional() }).meta({ id: 'RenameRequest' })

export const FileView = FileEntry.meta({ id: 'FileEntry' })
export const FileList = z.object({ entries: z.array(FileView), more: z.boolean().describe('There are more than `limit`.') }).meta({ id: 'FileList' })
export const WrittenView = z.object({ path: z.string(), bytes: z.int(), sha256: z.string() }).meta({ id: 'Written' })
export const MadeView = z.object({ path: z.string(), made: z.boolean().describe('false: it was there.') }).meta({ id: 'Made' })
export const GoneView = z.object({ path: z.string(), count: z.int().describe('Entries that went.') }).meta({ id: 'Gone' })
export const ChangeOfFile = FileChange.meta({ id: 'FileChange' })
