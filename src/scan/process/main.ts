/**
 * The scanning process: looks at one layer and prints its facts. It reads what anybody may have written, so it may do little: see start.ts, which starts it.
 *
 *   main.ts records|walk DEADLINE-MS       fd 0: records (in that mode) · fd 1: LayerFacts as JSON, the diff id left out
 *                                          fd 3: options of the secret search · fd 4: the layer's folder
 */
import { readFileSync, writeSync } from 'node:fs'
import { DayflyError } from '../../base/errors.ts'
import { cataloguers } from '../cataloguers.ts'
import type { LayerFacts } from '../facts.ts'
import { openTree } from '../files.ts'
import { walk } from '../folder.ts'
import { createLayerScan } from '../layer.ts'
import { createRecordReader } from '../records.ts'
import { openSecretSearch, readSettings } from '../secret-search.ts'
import { fitted } from './fit.ts'

const optionsDescriptor = 3
const layerDescriptor = 4

/** Of what is printed; whoever reads it is the daemon. */
const mostOutput = 16 * 1024 * 1024

const print = (facts: LayerFacts): void => {
  const text = Buffer.from(fitted(facts, mostOutput))
  for (let done = 0; done < text.length; ) {
    try {
      done += writeSync(1, text, done)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2)
    }
  }
}

const [mode, deadline] = process.argv.slice(2)
const secrets = openSecretSearch(readSettings(readFileSync(optionsDescriptor, 'utf8')))
const scan = createLayerScan({ cataloguers, secrets })
let totals = { bytes: 0, entries: 0 }
if (mode === 'walk') totals = await walk(layerDescriptor, { secrets, overlay: true, onSeen: scan.see, onProblem: scan.problem })
else {
  const reader = createRecordReader(scan.see)
  for await (const bytes of process.stdin) reader.feed(bytes)
  if (reader.end === undefined) throw new DayflyError('corrupt', 'the layer was not unpacked to its end')
  totals = reader.end
}
using tree = openTree(layerDescriptor)
const end = performance.now() + Number(deadline)
print(await scan.finish(tree, { diffId: '', ...totals }, { signal: new AbortController().signal, outOfTime: () => performance.now() > end }))
