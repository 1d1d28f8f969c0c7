/** How bad: always as a word or a letter, never by colour alone. */
import type { Severity } from '../../../../model/finding.ts'
import { plural } from '../../format.ts'
import './security.css'

export const worstFirst = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown'] as const satisfies readonly Severity[]

type Counts = Readonly<Record<Severity, number>>

/** Proportions of all, and a button for each that narrows what is shown to it and what is worse. */
export const SeverityBar = ({
  counts,
  chosen,
  onChoose,
}: {
  readonly counts: Counts
  readonly chosen: string | undefined
  readonly onChoose: (severity: Severity | undefined) => void
}) => {
  const total = worstFirst.reduce((sum, severity) => sum + counts[severity], 0)
  return (
    <div className="severity-bar">
      <div className="severity-track" aria-hidden="true">
        {worstFirst.map(severity =>
          counts[severity] === 0 ? null : (
            <span key={severity} className={`fill-${severity}`} style={{ flexGrow: Math.max(counts[severity], total / 60) }} />
          ),
        )}
      </div>
      <fieldset className="severity-choice">
        <legend className="hidden">At least this severity</legend>
        {worstFirst.map(severity => (
          <button
            key={severity}
            type="button"
            className="quiet"
            aria-pressed={chosen === severity}
            onClick={() => onChoose(chosen === severity ? undefined : severity)}
          >
            <span className={`swatch fill-${severity}`} aria-hidden="true" />
            {severity} <strong className="figures">{counts[severity]}</strong>
          </button>
        ))}
      </fieldset>
    </div>
  )
}

/** `2 C  17 H  31 M`: those that there are. */
export const SeverityCounts = ({ counts }: { readonly counts: Counts }) => {
  const there = worstFirst.filter(severity => counts[severity] > 0)
  if (there.length === 0) return <span className="soft">none known</span>
  return (
    <span className="severity-counts">
      {there.slice(0, 4).map(severity => (
        <span key={severity} className={`severity-count tint-${severity}`} title={plural(counts[severity], severity, severity)}>
          <span className="hidden">{severity} </span>
          <span className="figures">{counts[severity]}</span>
          <span aria-hidden="true">{severity[0]?.toUpperCase()}</span>
        </span>
      ))}
    </span>
  )
}
