import { withTokens } from './auth-file-write.ts'
import { type Login, loginOf, type StoredLogin, type WrittenLogin } from './login.ts'
import type { NewTokens } from './refresh.ts'
import { rewriteJson } from './rewrite-json.ts'

/** Refreshed tokens that exist only in this process so far. */
export type UnsavedTokens = {
  /** The refresh token that was spent to get these: they belong into the file that holds it. */
  readonly spentToken: string
  readonly tokens: NewTokens
  readonly refreshedAt: number
  readonly stored: StoredLogin
  /** What was being written last: the file may contain a part of it. */
  written?: string
}

/** New tokens for the login `from`; `before` are those that were not saved when they were asked for. */
export function unsavedTokens(
  from: StoredLogin,
  { spentToken, tokens, refreshedAt }: Pick<UnsavedTokens, 'spentToken' | 'tokens' | 'refreshedAt'>,
  before: UnsavedTokens | undefined,
): UnsavedTokens {
  const content = withTokens(from.content, tokens, refreshedAt)
  return {
    spentToken: before?.spentToken ?? spentToken,
    tokens: { ...before?.tokens, ...tokens },
    refreshedAt,
    stored: { content, login: loginOf(content) },
  }
}

/** The text of the file with the tokens in it. */
export function textWith(
  { tokens, refreshedAt }: UnsavedTokens,
  { json, content }: Pick<WrittenLogin, 'json' | 'content'>,
): string {
  return rewriteJson(json, withTokens(content, tokens, refreshedAt))
}

export function holds(login: Login, refreshToken: string): boolean {
  return login.kind === 'chatgpt' && login.refreshToken === refreshToken
}

/** Whether the file's own refresh token is spent, so that its login is lost without these. */
export function isOnlyHope({ spentToken, tokens }: UnsavedTokens): boolean {
  return tokens.refresh_token !== undefined && tokens.refresh_token !== spentToken
}
