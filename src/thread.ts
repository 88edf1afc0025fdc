import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/**
 * Starts a module of this program in a thread of its own: the one of that name beside the module at `from`. It finds
 * `data` in `workerData`.
 */
export function startThread(name: string, from: string, data: unknown): Worker {
  const extension = extname(from)
  const module = new URL(`${name}${extension}`, from)
  if (extension === '.js') return new Worker(module, { workerData: data })
  // From the sources, as tests run: a thread of Node 20 does not read TypeScript because the program does.
  const tsx = import.meta.resolve('tsx/esm/api')
  const script = `import('${tsx}').then(({ register }) => { register(); return import('${module.href}') })`
  return new Worker(script, { eval: true, workerData: data })
}
