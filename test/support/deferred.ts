/** A promise that a test resolves when it wants to. */
export type Deferred<Value> = { readonly promise: Promise<Value>; resolve(value: Value): void }

export function deferred<Value = void>(): Deferred<Value> {
  let resolve = (_value: Value) => {}
  const promise = new Promise<Value>((settle) => {
    resolve = settle
  })
  return { promise, resolve: (value) => resolve(value) }
}
