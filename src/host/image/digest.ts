import { createHash } from 'node:crypto'

/** `sha256:` and 64 lower-case hex digits: the only algorithm that images use in practice. */
export const digestPattern = /^sha256:[0-9a-f]{64}$/

export const digestOf = (bytes: Uint8Array | string): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

export const hexOf = (digest: string): string => digest.slice('sha256:'.length)

/** Name of a layer's folder. 64 bits suffice to tell layers apart; `layer-info` holds the rest and is compared. */
export const layerFolderOf = (diffId: string): string => hexOf(diffId).slice(0, 16)

/** `sha256:0123456789ab`, for people. */
export const shortDigest = (digest: string): string => digest.slice(0, 'sha256:'.length + 12)
