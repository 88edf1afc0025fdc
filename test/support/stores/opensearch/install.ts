import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheDirectory } from '../../../../src/config/cache-dir.ts'
import { javaEnvironment } from '../../../../src/config/java-environment.ts'

const run = promisify(execFile)

const pom = join(import.meta.dirname, 'pom.xml')
const plugin = join(import.meta.dirname, 'SmartChinese.java')
const version = /<opensearch\.version>(.+)<\/opensearch\.version>/.exec(readFileSync(pom, 'utf8'))?.[1] ?? ''

/** A part of the server with a folder of its own: its class, what it builds on, and its jars by the beginning of their names. */
interface Part {
  folder: string
  className: string
  extends: string
  jars: RegExp
  /** What its code may do. */
  policy?: string
}

const parts: readonly Part[] = [
  {
    folder: 'modules/lang-painless',
    className: 'org.opensearch.painless.PainlessPlugin',
    extends: '',
    jars: /painless|^asm|^antlr4/,
    policy: [
      'java.lang.RuntimePermission "createClassLoader"',
      'java.lang.RuntimePermission "getClassLoader"',
      'org.opensearch.script.ClassPermission "<<STANDARD>>"',
      'org.opensearch.script.ClassPermission "org.opensearch.painless.*"',
    ]
      .map((permission) => `grant { permission ${permission}; };\n`)
      .join(''),
  },
  {
    folder: 'modules/analysis-common',
    className: 'org.opensearch.analysis.common.CommonAnalysisPlugin',
    extends: 'lang-painless',
    jars: /^analysis-common/,
  },
  { folder: 'plugins/analysis-smartcn', className: 'SmartChinese', extends: '', jars: /smartcn/ },
]

/**
 * The folder of an OpenSearch with the analyzers `cjk` and `smartcn`, in the user's cache. Filled by Maven and a JDK the
 * first time (60 MB). It appears whole or not at all.
 */
export async function installOpensearch(): Promise<string> {
  const files = [pom, plugin, import.meta.filename].map((path) => readFileSync(path, 'utf8')).join('')
  const digest = createHash('sha256').update(files).digest('hex').slice(0, 8)
  const home = join(cacheDirectory(), `opensearch-${version}-${digest}`)
  if (existsSync(home)) return home
  await mkdir(cacheDirectory(), { recursive: true })
  const download = await mkdtemp(`${home}.download-`)
  try {
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${download}`]
    await run('mvn', ['-B', '-q', '-f', pom, ...goal], { env: javaEnvironment() })
    await run('jar', ['xf', `opensearch-${version}.zip`], { cwd: download, env: javaEnvironment() })
    const unpacked = join(download, `opensearch-${version}`)
    await compilePlugin(download, unpacked)
    for (const part of parts) await addPart(download, unpacked, part)
    await rename(unpacked, home)
  } catch (error) {
    // Another test may have been quicker; its folder is as good.
    if (!existsSync(home)) throw error
  } finally {
    await rm(download, { recursive: true, force: true })
  }
  return home
}

async function compilePlugin(download: string, home: string): Promise<void> {
  const classes = join(download, 'classes')
  const classPath = `${home}/lib/*:${download}/*`
  await run('javac', ['-nowarn', '-cp', classPath, '-d', classes, plugin], { env: javaEnvironment() })
  await run('jar', ['cf', join(download, 'smartcn-plugin.jar'), '-C', classes, '.'], {
    env: javaEnvironment(),
  })
}

async function addPart(download: string, home: string, part: Part): Promise<void> {
  const folder = join(home, part.folder)
  await mkdir(folder, { recursive: true })
  const name = part.folder.replace(/.*\//, '')
  const descriptor = {
    description: name,
    version,
    name,
    classname: part.className,
    'java.version': 11,
    'opensearch.version': version,
    'extended.plugins': part.extends,
    'has.native.controller': false,
  }
  const lines = Object.entries(descriptor).map(([key, value]) => `${key}=${value}\n`)
  await writeFile(join(folder, 'plugin-descriptor.properties'), lines.join(''))
  if (part.policy) await writeFile(join(folder, 'plugin-security.policy'), part.policy)
  const jars = (await readdir(download)).filter((file) => file.endsWith('.jar') && part.jars.test(file))
  for (const jar of jars) await copyFile(join(download, jar), join(folder, jar))
}
