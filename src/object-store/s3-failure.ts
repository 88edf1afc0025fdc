import { ChatfeedError, type Remedy } from '../errors.ts'

/** What the library throws: an error of the service, of the network, or of its own. */
interface S3Error {
  name?: string
  code?: string
  $metadata?: { httpStatusCode?: number }
}

type Verdict = readonly [remedy: Remedy, code: string, what: string, mend: string]

const slow: Verdict = [
  'transient',
  'object_store',
  'asks to be asked less often',
  'It is asked again by itself; if this stays, ask the provider about its limits.',
]
const keys: Verdict = [
  'fatal',
  's3_credentials',
  'does not accept the access key',
  'Look at accessKeyId and secretAccessKey in `s3`, or at the credentials in the environment of chatfeed.',
]
const denied: Verdict = [
  'fatal',
  's3_denied',
  'does not allow what chatfeed asks for',
  'Allow this key s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload below the prefix.',
]

/** By the name that the service, or the library, gives its error. */
const verdicts: Record<string, Verdict> = {
  NoSuchBucket: [
    'fatal',
    's3_no_bucket',
    'has no bucket of that name',
    'Create the bucket, or mend the name in the path.',
  ],
  AccessDenied: denied,
  AllAccessDisabled: denied,
  InvalidAccessKeyId: keys,
  SignatureDoesNotMatch: keys,
  InvalidToken: keys,
  CredentialsProviderError: [
    'fatal',
    's3_credentials',
    'needs an access key, and none was found',
    'Give accessKeyId and secretAccessKey in `s3`, or credentials in the environment of chatfeed.',
  ],
  // Given out for so long; the library fetches the next ones.
  ExpiredToken: [
    'transient',
    'object_store',
    'says that the credentials have run out',
    'Renew them if they do not renew themselves.',
  ],
  RequestTimeTooSkewed: [
    'transient',
    's3_clock',
    'says that the clock of this machine is wrong',
    'Set the clock; best let NTP do it.',
  ],
  PermanentRedirect: [
    'fatal',
    's3_region',
    'keeps the bucket in another region',
    'Set `region` in `s3` to that of the bucket.',
  ],
  AuthorizationHeaderMalformed: [
    'fatal',
    's3_region',
    'expects another region',
    'Set `region` in `s3` to that of the bucket.',
  ],
  InvalidBucketName: ['fatal', 's3_no_bucket', 'takes no bucket of that name', 'Mend the name in the path.'],
  SlowDown: slow,
  TooManyRequestsException: slow,
  ThrottlingException: slow,
}

const byStatus: Record<number, Verdict> = { 401: keys, 403: denied, 429: slow, 503: slow }

const away: Verdict = [
  'transient',
  'object_store',
  'does not answer as it should',
  'Look whether the service runs, and at endpoint and region in `s3`.',
]

/**
 * The ChatfeedError for what a call of a bucket came to. Whatever is not known may pass. The texts of the service are
 * left out: they quote keys and signatures; the cause has them.
 */
export function s3Failure(error: unknown, bucket: string): ChatfeedError {
  if (error instanceof ChatfeedError) return error
  const { name = '', code, $metadata } = error as S3Error
  const status = $metadata?.httpStatusCode
  const verdict = verdicts[name] ?? (status === undefined ? undefined : byStatus[status]) ?? away
  const [remedy, word, what, mend] = verdict
  const detail = [code ?? name, status].filter(Boolean).join(', ')
  return new ChatfeedError(remedy, word, `S3, asked for bucket ${bucket}, ${what} (${detail}).`, { mend })
}

/** Whether the object is not there. */
export function isMissing(error: unknown): boolean {
  const { name } = error as S3Error
  return name === 'NoSuchKey' || name === 'NotFound'
}

/** Whether an object that was to be a new one is there; 409 while another is just being written. */
export function isTaken(error: unknown): boolean {
  const status = (error as S3Error).$metadata?.httpStatusCode
  return status === 412 || (error as S3Error).name === 'ConditionalRequestConflict'
}

/** The error of reading an object that is not there. */
export function noObject(key: string): ChatfeedError {
  return new ChatfeedError('message', 'no_object', `The store has no object ${key}.`)
}
