export async function connections(_runs: number): Promise<string> {
  return ''
}
