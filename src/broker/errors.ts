import { ChatfeedError } from '../errors.ts'

/** The embedded broker cannot be had on this machine: names the three ways out. */
export function noBroker(code: string, message: string, cause?: unknown): ChatfeedError {
  const mend =
    'Three ways out: install Java 17 or newer and Maven; or point kafka.brokers in the configuration at a Kafka ' +
    'cluster; or run docker compose up.'
  return new ChatfeedError('fatal', code, message, { cause, mend })
}
