/** What follows from detections, in the words of the API. */
import { createReadStream } from 'node:fs'
import type { BlockedImageView } from '../../api/schemas/responses.ts'
import type { Responses } from '../../api/services.ts'
import { DayflyError } from '../../base/errors.ts'
import type { BlockedImage } from '../../engine/blocked-images.ts'
import type { Engine } from '../../engine/engine.ts'
import type { DaemonImages } from './images.ts'
import type { Notifying } from './notifying.ts'

const digestPattern = /^sha256:[0-9a-f]{64}$/

const view = ({ digest, name, reason, actor, rule, environment, since }: BlockedImage): BlockedImageView => ({
  ...{ digest, name: name ?? null, reason, actor, rule: rule ?? null, environment: environment ?? null, since },
})

export interface ResponsesParts {
  readonly engine: Pick<Engine, 'blockedImages' | 'evidence' | 'evidencePath'>
  readonly images: Pick<DaemonImages, 'inspect'>
  readonly notifying: Notifying
}

export const responseServices = ({ engine, images, notifying }: ResponsesParts): Responses => ({
  blockedImages: () => engine.blockedImages.list().map(view),
  blockImage: async (image, reason, actor) => {
    if (digestPattern.test(image)) return view(engine.blockedImages.block({ digest: image, reason, actor }))
    const { digest } = await images.inspect(image)
    return view(engine.blockedImages.block({ digest, name: image, reason, actor }))
  },
  unblockImage: (digest, actor) => {
    const before = engine.blockedImages.find(digest)
    if (before === undefined || !engine.blockedImages.unblock(digest, actor)) {
      throw new DayflyError('not_found', `the image ${digest} is not blocked`, { field: 'digest', remedy: 'See which are: dayfly image blocked.' })
    }
    return view(before)
  },
  evidence: ref => engine.evidence(ref).map(({ files, gaps, ...rest }) => ({ ...rest, files: [...files], gaps: [...gaps] })),
  evidenceFile: (ref, take, name) => createReadStream(engine.evidencePath(ref, take, name)),
  notifyState: () => notifying.state().map(({ failure, ...rest }) => ({ ...rest, failure: failure ?? null })),
  notifyDeliveries: async target =>
    (await notifying.deliveries(target)).map(({ target: name, at, outcome, failure = null, notice: { id, kind, text } }) => ({
      ...{ target: name, id, kind, at, outcome, failure, text },
    })),
  notifyReplay: notifying.replay,
  notifyTest: async (targets, signal) =>
    (await notifying.test(targets, signal)).map(({ name, type, failure }) => ({ name, type, failure: failure ?? null })),
})
