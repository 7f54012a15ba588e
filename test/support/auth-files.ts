const TEN_DAYS_SECONDS = 10 * 24 * 3600

/** What `codex login` leaves in auth.json, with made-up tokens that are good for ten days. */
export function chatgptAuth(tokens: { access_token?: string; account_id?: string } = {}): object {
  const account = tokens.account_id ?? '00000000-0000-4000-8000-00000000acc1'
  const claims = { 'https://api.openai.com/auth': { chatgpt_plan_type: 'plus', chatgpt_account_id: account } }
  const exp = Math.floor(Date.now() / 1000) + TEN_DAYS_SECONDS
  return {
    auth_mode: 'chatgpt',
    OPENAI_API_KEY: null,
    tokens: {
      id_token: unsignedJwt({ ...claims, email: 'someone@example.com' }),
      access_token: unsignedJwt({ ...claims, exp }),
      refresh_token: 'made-up-refresh-token',
      account_id: account,
      ...tokens,
    },
    last_refresh: new Date().toISOString(),
  }
}

/** What `codex login --with-api-key` leaves in auth.json. */
export function apiKeyAuth(apiKey = 'sk-made-up'): object {
  return { auth_mode: 'apikey', OPENAI_API_KEY: apiKey }
}

/** A JSON Web Token as far as anyone reads it here: nobody checks the signature. */
export function unsignedJwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.made-up`
}
