/** What is left of a lease, as a ring that empties. The number is beside it, or in its title. */
const radius = 6
const around = 2 * Math.PI * radius

/** `share` from 1 to 0; undefined: it ends now. */
export const Ring = ({ share }: { readonly share: number | undefined }) => {
  const left = share ?? 0
  return (
    <svg className={`ring${left < 0.05 ? ' ring-bad' : left < 0.2 ? ' ring-warn' : ''}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <circle cx="8" cy="8" r={radius} className="ring-ground" />
      {left <= 0 ? null : <circle cx="8" cy="8" r={radius} strokeDasharray={`${left * around} ${around}`} transform="rotate(-90 8 8)" />}
    </svg>
  )
}
