/** In place of a call of the system: fails as that does, with this code. */
export const failWith = (code: string) => (): never => {
  throw Object.assign(new Error(code), { code })
}
