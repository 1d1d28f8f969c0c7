/** Write a policy or a rule and see at once what it would say. Nothing of it is kept, here or on the daemon. */
import { setParameter, useAddress } from '../../router.tsx'
import { TryPolicy } from './try-policy.tsx'
import { TryRule } from './try-rule.tsx'

export const Playground = () => {
  const { query } = useAddress()
  const of = query.get('of') === 'rule' ? 'rule' : 'policy'
  return (
    <div className="stack">
      <div className="spread">
        <fieldset className="group">
          <legend className="hidden">What to try</legend>
          <button type="button" aria-pressed={of === 'policy'} onClick={() => setParameter('of', undefined)}>
            A policy
          </button>
          <button type="button" aria-pressed={of === 'rule'} onClick={() => setParameter('of', 'rule')}>
            A rule of detection
          </button>
        </fieldset>
        <span className="soft">It is judged as you type, apart from what is in force. Nothing is kept.</span>
      </div>
      {of === 'policy' ? <TryPolicy /> : <TryRule />}
    </div>
  )
}
