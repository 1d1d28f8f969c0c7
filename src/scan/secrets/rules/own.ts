/** All of Dayfly's own rules. Where two find the same bytes, the earlier one speaks. */
import type { OwnRule } from '../rule.ts'
import { amazonRules } from './amazon.ts'
import { artificialIntelligenceRules } from './artificial-intelligence.ts'
import { cloudRules } from './clouds.ts'
import { codeHostingRules } from './code-hosting.ts'
import { commerceRules } from './commerce.ts'
import { googleRules } from './google.ts'
import { kubernetesRules } from './kubernetes.ts'
import { genericRules, loginRules } from './logins.ts'
import { messagingRules } from './messaging.ts'
import { microsoftRules } from './microsoft.ts'
import { privateKeyRules } from './private-keys.ts'
import { registryRules } from './registries.ts'
import { serviceRules } from './services.ts'
import { tokenRules } from './tokens.ts'

export const ownRules: readonly OwnRule[] = [
  ...[
    amazonRules,
    microsoftRules,
    googleRules,
    cloudRules,
    codeHostingRules,
    registryRules,
    artificialIntelligenceRules,
    messagingRules,
    commerceRules,
  ].flat(),
  ...[serviceRules, kubernetesRules, privateKeyRules, tokenRules, loginRules, genericRules].flat(),
]
