/** JAVA_HOME, when it is set. */
export function javaHome(): string | undefined {
  return process.env['JAVA_HOME'] || undefined
}

/**
 * Our environment with a UTF-8 locale. With the plain C locale, as in many containers, Java cannot handle a
 * folder whose name is not ASCII, and with another one Kafka's last words come in that language.
 */
export function javaEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: 'C.UTF-8' }
}
