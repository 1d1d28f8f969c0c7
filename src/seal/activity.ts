/** The blocks of activity in a bundle against the head that the record binds. */
import { createHash } from 'node:crypto'
import type { ActivityHead } from '../model/activity.ts'
import { activityGenesisText } from '../model/activity.ts'
import type { RecordPredicate } from '../model/seal.ts'
import { BlockHead } from './bundle.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** What stands before an environment's first block. */
export const activityGenesisHash = (environment: string): string => sha256(activityGenesisText(environment))

export interface ActivityVerdict {
  readonly blocks: number
  readonly entries: number
  /** The beginning up to here is not there; undefined: nothing is missing. Whether it may be is said elsewhere. */
  readonly missing: ActivityHead | undefined
  readonly fault: string | undefined
}

const longestHead = 1024
const newline = 10

/** Reads the head of a block, then so many bytes, and so on: blocks may be long, so lines are not collected. */
export const checkActivity = async (
  environment: string,
  head: NonNullable<RecordPredicate['activity']>,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<ActivityVerdict> => {
  let number = 0
  let missing: { readonly blocks: number; readonly hash: string } | undefined
  let entries = 0
  let hash = activityGenesisHash(environment)
  let line: Buffer = Buffer.alloc(0)
  let current: { readonly head: BlockHead; readonly digest: ReturnType<typeof createHash>; left: number; lines: number } | undefined
  const verdict = (fault: string | undefined): ActivityVerdict => ({
    ...{ blocks: number - (missing?.blocks ?? 0), entries, fault },
    // As many as the head has more than there are: that is held against what was signed.
    missing: missing && { ...missing, entries: head.entries - entries },
  })

  const begin = (): string | undefined => {
    const parsed = (() => {
      try {
        return BlockHead.safeParse(JSON.parse(line.toString()))
      } catch {
        return undefined
      }
    })()
    if (parsed?.success !== true) return `what stands before block ${number + 1} is no head of a block`
    const found = parsed.data
    if (number === 0 && found.block > 1) {
      missing = { blocks: found.block - 1, hash: found.before }
      number = missing.blocks
      hash = found.before
    }
    if (found.block !== number + 1) return `block ${number + 1} is missing`
    if (found.before !== hash) return `block ${found.block} does not follow from the one before it`
    current = { head: found, digest: createHash('sha256'), left: found.bytes, lines: 0 }
    line = Buffer.alloc(0)
    return undefined
  }
  const finish = (): string | undefined => {
    if (current === undefined || current.left > 0) return undefined
    const { head: found, digest, lines } = current
    number = found.block
    hash = sha256(hash + digest.digest('hex'))
    current = undefined
    if (hash !== found.hash) return `block ${number} is not what was kept`
    if (lines !== found.entries) return `block ${number} has ${lines} entries, and says ${found.entries}`
    entries += lines
    return undefined
  }

  for await (const chunk of content) {
    for (let at = 0; at < chunk.length; ) {
      let fault: string | undefined
      if (current === undefined) {
        const end = chunk.indexOf(newline, at)
        line = Buffer.concat([line, chunk.subarray(at, end < 0 ? chunk.length : end)])
        at = end < 0 ? chunk.length : end + 1
        if (line.length > longestHead) fault = `what stands before block ${number + 1} is no head of a block`
        else if (end >= 0) fault = begin() ?? finish()
      } else {
        const piece = chunk.subarray(at, at + current.left)
        current.digest.update(piece)
        for (let found = piece.indexOf(newline); found >= 0; found = piece.indexOf(newline, found + 1)) current.lines++
        current.left -= piece.length
        at += piece.length
        fault = finish()
      }
      if (fault !== undefined) return verdict(fault)
    }
  }
  if (current !== undefined || line.length > 0) return verdict(`it is cut off within block ${number + 1}`)
  if (number === 0 && head.blocks > 0) return verdict(`it is empty; ${head.blocks} blocks were kept`)
  if (number !== head.blocks) return verdict(`it ends with block ${number}; ${head.blocks} were kept`)
  if (hash !== head.digest.sha256) return verdict(`its last block is not the one that the record binds`)
  if (missing === undefined && entries !== head.entries) return verdict(`it has ${entries} entries; ${head.entries} were kept`)
  return verdict(undefined)
}
