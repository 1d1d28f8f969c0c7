/** Holds packages against the vulnerability data of a folder, one image after another: the worst image takes seconds. It may be ended at any instruction. */
import { parentPort, workerData } from 'node:worker_threads'
import { DayflyError, messageOf } from '../../base/errors.ts'
import { openVulnerabilities } from '../../scan/vulnerabilities/vulnerabilities.ts'
import type { Answer, Question, Start } from './matching-messages.ts'

const port = parentPort
if (!port) throw new Error('this is a worker')

const { folder }: Start = workerData
const vulnerabilities = openVulnerabilities(folder)

const answer = ({ id, packages, distribution, products, now }: Question): Answer => {
  try {
    return { id, matched: vulnerabilities.match(packages, distribution, now, { products }) }
  } catch (error) {
    const { code, remedy } = error instanceof DayflyError ? error : { code: 'internal', remedy: undefined }
    return { id, failure: { code, message: messageOf(error), remedy } }
  }
}

const say = (message: Answer): void => port.postMessage(message)

port.on('message', (question: Question) => say(answer(question)))
say({ ready: true })
