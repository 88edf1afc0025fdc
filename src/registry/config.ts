import { z } from 'zod'

const tls = z.strictObject({ ca: z.string(), cert: z.string(), key: z.string() }).partial()

const url = z.string({ error: 'write the address of the registry' }).transform((text, context) => {
  const parsed = URL.canParse(text) ? new URL(text) : undefined
  const refuse = (message: string) => {
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  }
  if (!parsed || !['http:', 'https:'].includes(parsed.protocol))
    return refuse('write http://host:port or https://host:port, with the path that the registry has')
  if (parsed.username || parsed.password)
    return refuse('leave the credentials out: write username and password')
  if (parsed.search || parsed.hash) return refuse('leave out what follows the path')
  return parsed.href.replace(/\/+$/, '')
})

/** The `registry` part of the configuration. */
export const registryConfig = z
  .strictObject({
    /** Without a slash at its end. */
    url,
    username: z.string().optional(),
    password: z.string().optional(),
    /** For bearer authentication, instead of both. */
    token: z.string().optional(),
    tls: tls.optional(),
    /** False: schemas are looked up only, for someone else registers them. May come from the environment as text. */
    register: z.union([z.boolean(), z.stringbool()], { error: 'write true or false' }).default(true),
  })
  .refine(({ username, password }) => (username === undefined) === (password === undefined), {
    error: 'write username and password, or neither',
    path: ['username'],
  })
  .refine(({ username, token }) => username === undefined || token === undefined, {
    error: 'write a token, or username and password',
    path: ['token'],
  })
  .refine(({ url: address, tls: given }) => given === undefined || address.startsWith('https:'), {
    error: 'goes with an address that begins with https',
    path: ['tls'],
  })

/** How the registry is reached. */
export type RegistryConfig = z.output<typeof registryConfig>
