/** For whoever has no session: a one-time code from the command line, or a token. */
import { useEffect, useRef, useState } from 'react'
import { useSignIn } from '../../api/session.ts'
import { CliLine } from '../../components/cli-line.tsx'
import { Failure } from '../../components/states.tsx'
import icon from '../../icon.svg'
import './sign-in.css'

/** A one-time code in the address's fragment, which no server sees. Taken out of it at once: it is not to be in the history. */
const takeCode = (): string => {
  const code = new URLSearchParams(location.hash.slice(1)).get('code') ?? ''
  if (code !== '') history.replaceState(null, '', location.pathname + location.search)
  return code
}
const given = takeCode()

export const SignIn = () => {
  const signIn = useSignIn()
  const [secret, setSecret] = useState(given)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const submit = async (typed = secret): Promise<void> => {
    setBusy(true)
    setError(undefined)
    const text = typed.trim()
    await signIn(text.startsWith('dft_') ? { token: text } : { code: text }).catch(setError)
    setBusy(false)
  }
  // Whoever comes with a code has nothing to press; also when it is put into the address of this very page.
  const tried = useRef(false)
  useEffect(() => {
    if (given !== '' && !tried.current) {
      tried.current = true
      void submit()
    }
    const another = (): void => {
      const code = takeCode()
      if (code === '') return
      setSecret(code)
      void submit(code)
    }
    addEventListener('hashchange', another)
    return () => removeEventListener('hashchange', another)
  })
  return (
    <main className="sign-in">
      <form
        className="card stack"
        onSubmit={event => {
          event.preventDefault()
          void submit()
        }}
      >
        <img src={icon} alt="" width="36" height="36" />
        <h1>Sign in to Dayfly</h1>
        <p className="soft">This prints an address that signs you in, once:</p>
        <CliLine words={['console']} />
        <label className="field">
          One-time code, or token
          <input type="password" autoComplete="off" spellCheck={false} value={secret} onChange={event => setSecret(event.target.value)} />
        </label>
        <button type="submit" className="primary" disabled={busy || secret.trim() === ''}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
        {error === undefined ? null : <Failure error={error} what="your sign-in" />}
      </form>
    </main>
  )
}
