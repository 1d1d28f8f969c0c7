/** One finding with all the places where it is, and what to do about it. */
import type { FindingGroupView } from '../../../../api/schemas/security.ts'
import { Badge } from '../../components/badge.tsx'
import { CliLine } from '../../components/cli-line.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { Facts } from '../../components/page.tsx'
import { Ago, Time } from '../../components/time.tsx'
import { imageName, plural } from '../../format.ts'
import { Link } from '../../router.tsx'

const commandOf = ({ kind, id, where }: FindingGroupView): readonly string[] => {
  if (kind === 'vulnerability') return ['who', '--cve', id]
  if (kind === 'detection') return ['detections', '--rule', id]
  if (kind === 'policy') return ['findings', '--kind', 'policy', '--text', id]
  return ['scan', where[0]?.image?.name ?? where[0]?.image?.digest ?? 'IMAGE']
}

const places = (one: FindingGroupView): string =>
  one.kind === 'detection' || one.kind === 'policy' ? plural(one.count, 'time') : plural(one.images, 'image')

export const FindingDialog = ({ finding, onClose }: { readonly finding: FindingGroupView; readonly onClose: () => void }) => {
  const { id, kind, title, severity, risk, exploited, epss, settled, package: of, fixed, aliases, since, last, where, more } = finding
  return (
    <Dialog title={id} onClose={onClose}>
      <div className="stack">
        <div className="line">
          <Badge word={severity} />
          {exploited ? <Badge word="known to be exploited" tone="bad" /> : null}
          {settled ? <Badge word="settled by a statement" tone="quiet" /> : null}
        </div>
        <p className="wrap">{title}</p>
        <Facts
          facts={[
            ['Kind', kind],
            ['Risk', String(risk)],
            ['Exploitation within 30 days', epss === null ? undefined : `${(epss * 100).toFixed(1)}% (EPSS)`],
            ['Package', of === null ? undefined : <code key="package">{`${of.name} ${of.versions.join(', ')}`}</code>],
            ['Fixed in', of === null ? undefined : (fixed ?? 'no fix yet')],
            ['Also called', aliases.join(', ')],
            ['Seen', places(finding)],
            ['First', <Time key="first" at={since} full />],
            ['Last', <Ago key="last" at={last} />],
          ]}
        />
        {kind === 'vulnerability' && fixed !== null ? (
          <p>
            Build the image again with <code>{of?.name}</code> of <code>{fixed}</code> or later, and bring up what runs the old one.
          </p>
        ) : null}
        <h3>Where</h3>
        <ul className="places">
          {where.map(place => (
            <li key={`${place.environment.id} ${place.workload} ${place.image?.digest}`}>
              <Link to={`/environments/${place.environment.id}`}>{place.environment.name}</Link>
              <span className="soft wrap">
                {[place.workload, place.image === null ? null : imageName(place.image.name), place.environment.owner].filter(Boolean).join(' · ')}
              </span>
              {place.running > 0 ? (
                <Badge word="running" />
              ) : (
                <span className="soft">ended {place.until === null ? null : <Ago at={place.until} />}</span>
              )}
            </li>
          ))}
        </ul>
        {more > 0 ? <p className="soft">and {more} more places</p> : null}
        <CliLine words={commandOf(finding)} />
        {kind === 'detection' ? (
          <Link to={`/security/detections?rule=${encodeURIComponent(id)}`}>All detections of this rule, with their stories</Link>
        ) : null}
      </div>
    </Dialog>
  )
}
