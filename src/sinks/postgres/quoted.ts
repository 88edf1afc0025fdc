/** A name as it is written in a statement. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** A text as it is written in a statement, whatever `standard_conforming_strings` says. Holds no NUL. */
export const literal = (text: string): string => ` E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
