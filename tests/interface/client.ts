// What a client in TypeScript can write, and what its compiler must not let through: see
// scripts/check-clients.sh.
import type { components, paths } from "./api";

type NewEvent = components["schemas"]["NewEvent"];
type Body = paths["/v1/events"]["post"]["requestBody"]["content"]["application/json"];
type Patch = paths["/v1/profiles/{ref}"]["patch"]["responses"];

export const event: NewEvent = {
    name: "order.completed",
    identifiers: { customer_id: "00042" },
    properties: { amount: 29.33, cart: { items: [1, null] } },
    proposes: { email: "anna@example.com", phone: null },
};
export const bodies: Body[] = [event, [event], { events: [event] }];

// @ts-expect-error
export const number: NewEvent = 42;
// @ts-expect-error
export const text: Body = "order.completed";
// @ts-expect-error
export const numbers: Body = [42];
// @ts-expect-error
export const wrapped: Body = { events: [42] };
// @ts-expect-error
export const nameless: NewEvent = { identifiers: { customer_id: "00042" } };
// @ts-expect-error
export const mistyped: NewEvent = { name: "order.completed", identifers: { customer_id: "00042" } };
// @ts-expect-error
export const lossy: NewEvent = { name: "order.completed", identifiers: { customer_id: 42 } };

export function told(refused: Patch[412 | 422]["content"]["application/problem+json"]): string {
    const problem: components["schemas"]["Problem"] = refused;
    const verdict: "refused" | "open" | "unheard" | "taken" | undefined = problem.event?.verdict;
    // @ts-expect-error
    const none: "accepted" | undefined = verdict;
    return `${problem.code} ${verdict} ${none}`;
}
