/** Layers and folders for tests of what is known of several together: real folders, looked at as the scanning process looks at them, but for secrets. */
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cataloguers } from '../../src/scan/cataloguers.ts'
import { layerView } from '../../src/scan/covering.ts'
import { openTree } from '../../src/scan/files.ts'
import { walk } from '../../src/scan/folder.ts'
import { createLayerScan } from '../../src/scan/layer.ts'
import type { ScannedLayer } from '../../src/scan/merge.ts'

/** Content by path, or where a link leads to. */
export type Files = Readonly<Record<string, string | Buffer | { readonly link: string }>>

export const putFiles = (folder: string, files: Files): void => {
  for (const [path, content] of Object.entries(files)) {
    const place = join(folder, path)
    mkdirSync(join(place, '..'), { recursive: true })
    if (typeof content === 'string' || Buffer.isBuffer(content)) writeFileSync(place, content)
    else symlinkSync(content.link, place)
  }
}

/** What a scan of the folder knows of it. */
export const scanLayer = async (path: string, opaque: readonly string[] = []): Promise<ScannedLayer> => {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    const scan = createLayerScan({ cataloguers, secrets: undefined })
    const totals = await walk(descriptor, { secrets: undefined, onSeen: scan.see })
    using tree = openTree(descriptor)
    const until = { signal: new AbortController().signal, outOfTime: () => false }
    const facts = await scan.finish(tree, { diffId: 'sha256:0123456789abcdef', ...totals }, until)
    return { facts, view: layerView(facts.diffId, path, new Set(opaque)) }
  } finally {
    closeSync(descriptor)
  }
}

export interface LayerFolders extends Disposable {
  readonly folder: string
  /** `opaque`: folders of the layer that hide those below. */
  layer(files: Files, opaque?: readonly string[]): Promise<ScannedLayer>
}

export const createLayerFolders = (): LayerFolders => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-layers-'))
  let count = 0
  return {
    folder,
    layer: async (files, opaque = []) => {
      const path = join(folder, String(count++))
      mkdirSync(path)
      putFiles(path, files)
      for (const each of opaque) mkdirSync(join(path, each), { recursive: true })
      return scanLayer(path, opaque)
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
