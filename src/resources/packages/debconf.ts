import { Secret } from '../../shell/secret.ts'

/** Answers by question: `{ 'postfix/mailname': 'mail.example.com' }`. */
export type DebconfAnswers = Readonly<Record<string, string | boolean | Secret>>

/**
 * The answers as `debconf-set-selections` reads them.
 *
 * @param owner a package that asks them
 * @throws TypeError for a name or an answer that would be read as another line
 */
export function setAnswers(owner: string, answers: DebconfAnswers): Secret {
  for (const [question, answer] of Object.entries(answers)) {
    if (!/^[^\s#]+\/\S+$/.test(question))
      throw new TypeError(`pkg ${owner}: "${question}" is not a question of debconf, such as postfix/mailname`)
    if (typeof answer === 'string') checkAnswer(owner, question, answer)
  }
  return new Secret(() =>
    Object.entries(answers)
      .map(([question, answer]) => {
        const text = answer instanceof Secret ? answer.reveal() : String(answer)
        checkAnswer(owner, question, text)
        return `${owner} ${question} ${typeOf(answer)} ${text}\n`
      })
      .join(''),
  )
}

/** The type decides only in which database the answer is kept until the package defines its questions. */
function typeOf(answer: string | boolean | Secret): string {
  if (answer instanceof Secret) return 'password'
  return typeof answer === 'boolean' ? 'boolean' : 'string'
}

function checkAnswer(owner: string, question: string, answer: string): void {
  if (/[\n\r\0]/.test(answer)) throw new TypeError(`pkg ${owner}: the answer to ${question} has more than one line`)
}
