/** The sentences of a page. Code, tables and headings are left out; a colon and a semicolon end a sentence. */
export function sentencesOf(page: string): readonly string[] {
  const prose = page
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/^(?: {4}.*|\|.*|#.*)$/gm, '')
    .replace(/`[^`]*`/g, 'X')
  return prose
    .split(/\n\s*\n|\n(?=- |\d+\. )/)
    .flatMap((paragraph) => paragraph.replaceAll('\n', ' ').split(/(?<=[.:;?!])\s+/))
    .map((sentence) => sentence.replace(/^\s*(?:- |\d+\. )/, '').trim())
    .filter((sentence) => sentence !== '')
}

/** The average number of words in a sentence of a page; 0 for a page without sentences. */
export function averageSentence(page: string): number {
  const lengths = sentencesOf(page).map((sentence) => sentence.split(/\s+/).length)
  return lengths.length === 0 ? 0 : lengths.reduce((sum, length) => sum + length, 0) / lengths.length
}
