/** A small client of the service's HTTP API that can say what it calls and what it gets. */

// biome-ignore lint/suspicious/noExplicitAny: answers are as varied as the API; the caller knows which.
type Answer = any;

export interface ApiClient {
  /** Calls and says so. @throws when the status is another than `status` (any 2xx where left out). */
  call(method: string, path: string, body?: unknown, status?: number): Promise<Answer>;
  /** The same without saying it. */
  quietly(method: string, path: string, body?: unknown, status?: number): Promise<Answer>;
  withToken(token: string): ApiClient;
}

export function createApiClient(
  url: string,
  token: string,
  say: (text: string) => void,
): ApiClient {
  const request = async (
    method: string,
    path: string,
    body: unknown,
    status: number | undefined,
    tell: (text: string) => void,
  ): Promise<Answer> => {
    tell(`${method} ${path}${body === undefined ? '' : `\n${JSON.stringify(body)}`}`);
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Answer;
    tell(`${response.status} ${JSON.stringify(answer, null, 2)}`);
    const isExpected = status === undefined ? response.ok : response.status === status;
    if (!isExpected)
      throw new Error(`${method} ${path} answered ${response.status}: ${JSON.stringify(answer)}`);
    return answer;
  };
  return {
    call: (method, path, body, status) => request(method, path, body, status, say),
    quietly: (method, path, body, status) => request(method, path, body, status, () => {}),
    withToken: (other) => createApiClient(url, other, say),
  };
}
