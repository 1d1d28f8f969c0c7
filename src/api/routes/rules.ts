import { given } from '../../base/given.ts'
import type { Route } from '../route.ts'
import { defineRoute, nothing } from '../route.ts'
import { ExemptionList, PolicyList, RuleList, TriedPolicyView, TriedRuleView, TryPolicyRequest, TryRuleRequest } from '../schemas/rules.ts'
import type { Services } from '../services.ts'

export const ruleRoutes = (services: Services): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/policies',
    summary: 'Policies in force, rule by rule',
    params: nothing,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The policies.', mediaType: 'application/json', schema: PolicyList }],
    handle: async () => ({ kind: 'json', status: 200, body: services.security.policies() }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/rules',
    summary: 'Rules of detection, of the files as they are now',
    params: nothing,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The rules.', mediaType: 'application/json', schema: RuleList }],
    handle: async ({ signal }) => ({ kind: 'json', status: 200, body: await services.security.rules(signal) }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/exemptions',
    summary: 'What is let through, by whom and until when',
    params: nothing,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The exemptions.', mediaType: 'application/json', schema: ExemptionList }],
    handle: async () => ({ kind: 'json', status: 200, body: { exemptions: services.security.exemptions() } }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/playground/policy',
    summary: 'Try a policy on a sample',
    description: 'What is wrong with either is part of the answer. Nothing is kept, and nothing in force changes. It may take 4 seconds.',
    params: nothing,
    query: nothing,
    body: TryPolicyRequest,
    answers: [{ status: 200, description: 'What it says of each document.', mediaType: 'application/json', schema: TriedPolicyView }],
    handle: async ({ body, signal }) => ({ kind: 'json', status: 200, body: await services.security.tryPolicy(body, signal) }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/playground/rule',
    summary: 'Try rules of detection on what an environment did, or on cases',
    description: 'What is wrong with them is part of the answer. Nothing is kept, and nothing in force changes. It may take 4 seconds.',
    params: nothing,
    query: nothing,
    body: TryRuleRequest,
    answers: [{ status: 200, description: 'What they would have said.', mediaType: 'application/json', schema: TriedRuleView }],
    handle: async ({ body, signal }) => {
      const environment = body.environment === undefined ? undefined : services.lifecycle.environment(body.environment).id
      return { kind: 'json', status: 200, body: await services.security.tryRule({ ...body, ...given({ environment }) }, signal) }
    },
  }),
]
