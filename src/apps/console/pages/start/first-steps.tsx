/** Three steps from nothing to a record: run something, see it live, end it and read what was written. Each is done when it has happened. */
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { z } from 'zod'
import { get } from '../../api/http.ts'
import { useEnvironments } from '../../api/live.ts'
import { useMay } from '../../api/session.ts'
import { CliLine } from '../../components/cli-line.tsx'
import { EnvironmentActions } from '../../components/environment-actions.tsx'
import { Icon } from '../../components/icon.tsx'
import { imageName } from '../../format.ts'
import { Link } from '../../router.tsx'
import './start.css'

const Images = z.object({ images: z.array(z.object({ names: z.array(z.string()) })) })

interface StepProps {
  readonly number: number
  readonly title: string
  readonly done: boolean
  readonly current: boolean
  readonly children: ReactNode
}

const Step = ({ number, title, done, current, children }: StepProps) => (
  <li className={`step${done ? ' step-done' : ''}${current ? ' step-current' : ''}`} aria-current={current ? 'step' : undefined}>
    <span className="step-number" aria-hidden="true">
      {done ? <Icon name="check" /> : number}
    </span>
    <div className="stack">
      <h2>
        {title}
        {done ? <span className="hidden"> (done)</span> : null}
      </h2>
      {children}
    </div>
  </li>
)

/** The image to begin with: one that is there, or one that everybody knows. */
const useImage = (): string => {
  const may = useMay()('GET /v1/images')
  const images = useQuery({ queryKey: ['images', 'names'], queryFn: ({ signal }) => get(Images, '/v1/images', signal), enabled: may })
  const [first] = images.data?.images.flatMap(({ names }) => names) ?? []
  return first === undefined ? 'alpine' : imageName(first)
}

export const FirstSteps = () => {
  const image = useImage()
  const environments = useEnvironments().data ?? []
  const alive = environments.find(({ state }) => state !== 'ended')
  const ended = environments.find(({ state }) => state === 'ended')
  const at = environments.length === 0 ? 1 : alive !== undefined ? 2 : 3
  return (
    <ol className="steps">
      <Step number={1} title="Run something" done={at > 1} current={at === 1}>
        <p>
          In a terminal on this host. It gets a network, users and a file system of its own, is closed by default, and has a lease: it ends by itself.
        </p>
        <CliLine words={['run', '-d', '--name', 'first', '--ttl', '10m', image, '--', 'sh', '-c', 'while :; do date; sleep 1; done']} />
        {image === 'alpine' ? <p className="soft">Where there is no registry, a folder or tar becomes an image: dayfly image import.</p> : null}
      </Step>
      <Step number={2} title="See it live" done={at > 2} current={at === 2}>
        {alive === undefined ? (
          <p className="soft">It appears here by itself.</p>
        ) : (
          <>
            <p>
              <strong>{alive.name}</strong> is {alive.state}. Look at its output, its processes and its network, or open a terminal in it.
            </p>
            <div className="actions">
              <Link className="button" to={`/environments/${alive.id}/logs`}>
                Output
              </Link>
              <Link className="button" to={`/environments/${alive.id}/terminal`}>
                Terminal
              </Link>
              <Link className="button" to={`/?selected=${alive.id}`}>
                Timeline
              </Link>
            </div>
            <CliLine words={['logs', '-f', alive.name]} />
          </>
        )}
      </Step>
      <Step number={3} title="End it, and read its record" done={false} current={at === 3}>
        {alive === undefined ? null : (
          <>
            <p>Nothing is left of it afterwards but what was written down.</p>
            <EnvironmentActions environment={alive} />
          </>
        )}
        {ended === undefined ? (
          alive === undefined ? (
            <p className="soft">When it has ended, its whole life is here, sealed and signed.</p>
          ) : null
        ) : (
          <>
            <p>
              <strong>{ended.name}</strong> is gone: {ended.reason}. Its record is sealed, and can be proven to be whole.
            </p>
            <div className="actions">
              <Link className="button" to={`/environments/${ended.id}/record`}>
                Its record
              </Link>
            </div>
            <CliLine words={['verify', ended.id]} />
          </>
        )}
      </Step>
    </ol>
  )
}
