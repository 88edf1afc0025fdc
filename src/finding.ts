/** What `chatfeed check` says about one thing. */
export interface Finding {
  /** `fault`: this will not work; `warning`: it works, but not as it should; `ok`: looked at, fine. */
  level: 'ok' | 'warning' | 'fault'
  /** A stable word, such as `clock` or `credentials`. */
  about: string
  /** One sentence for the user, without secrets. */
  text: string
  /** What to do, with the setting's name; present unless `ok`. */
  mend?: string
}

/** Looked at, fine. */
export const fine = (about: string, text: string): Finding => ({ level: 'ok', about, text })
/** Works, but not as it should. */
export const warning = (about: string, text: string, mend: string): Finding => ({
  level: 'warning',
  about,
  text,
  mend,
})
/** Will not work. */
export const fault = (about: string, text: string, mend: string): Finding => ({
  level: 'fault',
  about,
  text,
  mend,
})
