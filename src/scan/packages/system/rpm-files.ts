/** The files that an rpm's header lists: names, and for each the number of its folder. Of ghosts it only says that they are the package's, not what they are. */

const dirIndexes = 1116
const baseNames = 1117
const dirNames = 1118
const fileFlags = 1037
const ghost = 1 << 6

const int32 = 4
const stringArray = 8
/** Bytes. */
const longestFolder = 4096
const mostFolders = 200_000

interface Tag {
  readonly type: number
  readonly offset: number
  readonly count: number
}

/** Texts that end in NUL, one after another, until `each` says false. */
const eachText = (store: Buffer, { offset, count }: Tag, each: (start: number, end: number, index: number) => boolean): void => {
  let start = offset
  for (let index = 0; index < count; index++) {
    const end = store.indexOf(0, start)
    if (end < 0 || !each(start, end, index)) return
    start = end + 1
  }
}

/** Calls `file` with each path until it says false. `blob`: a header that `parseRpmHeader` has read. What makes no sense is left out. */
export const eachRpmFile = (blob: Buffer, file: (path: string) => boolean): void => {
  const begin = 8 + blob.readUInt32BE(0) * 16
  const store = blob.subarray(begin)
  const tags = new Map<number, Tag>()
  for (let at = 8; at < begin; at += 16) {
    const tag = blob.readUInt32BE(at)
    if (tag !== dirIndexes && tag !== baseNames && tag !== dirNames && tag !== fileFlags) continue
    const [type, offset, count] = [blob.readUInt32BE(at + 4), blob.readUInt32BE(at + 8), blob.readUInt32BE(at + 12)]
    const isNumbers = tag === dirIndexes || tag === fileFlags
    const fits = isNumbers ? type === int32 && offset + count * 4 <= store.length : type === stringArray && offset + count <= store.length
    if (fits) tags.set(tag, { type, offset, count })
  }
  const [names, folders, indexes, flags] = [tags.get(baseNames), tags.get(dirNames), tags.get(dirIndexes), tags.get(fileFlags)]
  if (!names || !folders || !indexes || indexes.count < names.count) return
  const known: (string | undefined)[] = []
  eachText(store, folders, (start, end) => {
    known.push(end - start > longestFolder ? undefined : store.toString('utf8', start, end))
    return known.length < mostFolders
  })
  eachText(store, names, (start, end, index) => {
    const folder = known[store.readUInt32BE(indexes.offset + index * 4)]
    const isGhost = flags !== undefined && index < flags.count && (store.readUInt32BE(flags.offset + index * 4) & ghost) !== 0
    if (folder === undefined || isGhost || end === start || end - start > longestFolder) return true
    return file(`${folder}${store.toString('utf8', start, end)}`)
  })
}
