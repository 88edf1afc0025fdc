import assert from 'node:assert/strict'
import { test } from 'node:test'
import { s3Failure } from '../../../src/object-store/s3-failure.ts'

const errors: [name: string, status: number | undefined, remedy: string, code: string][] = [
  ['NoSuchBucket', 404, 'fatal', 's3_no_bucket'],
  ['AccessDenied', 403, 'fatal', 's3_denied'],
  ['SignatureDoesNotMatch', 403, 'fatal', 's3_credentials'],
  ['InvalidAccessKeyId', 403, 'fatal', 's3_credentials'],
  ['CredentialsProviderError', undefined, 'fatal', 's3_credentials'],
  ['RequestTimeTooSkewed', 403, 'transient', 's3_clock'],
  ['PermanentRedirect', 301, 'fatal', 's3_region'],
  ['SlowDown', 503, 'transient', 'object_store'],
  ['ExpiredToken', 400, 'transient', 'object_store'],
  ['Forbidden', 403, 'fatal', 's3_denied'],
  ['InternalError', 500, 'transient', 'object_store'],
  ['TimeoutError', undefined, 'transient', 'object_store'],
]

for (const [name, httpStatusCode, remedy, code] of errors) {
  test(`${name} of S3 is ${remedy}, with a mend and without what the service quotes`, () => {
    const cause = Object.assign(new Error('AKIAQUOTED signature'), { name, $metadata: { httpStatusCode } })
    const failure = s3Failure(cause, 'lake')
    assert.deepEqual([failure.remedy, failure.code], [remedy, code])
    assert.match(failure.message, /bucket lake/)
    assert.ok(failure.mend)
    assert.doesNotMatch(`${failure.message} ${failure.mend}`, /AKIAQUOTED/)
  })
}
