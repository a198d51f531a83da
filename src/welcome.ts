/** What `npm start` says when the service is up: what to do next, ready to paste. */
import type { Service } from './service.ts';

/** The text; `isTerminal` says whether headings may be bold. */
export function welcomeText(service: Service, isTerminal: boolean): string {
  const bold = (text: string): string => (isTerminal ? `\u001b[1m${text}\u001b[22m` : text);
  return service.organizationId === undefined
    ? describeParts(service, bold)
    : describeStart(service, service.organizationId, bold);
}

/** A process without the control API: what it does, and where. */
function describeParts({ url, roles, door }: Service, bold: (text: string) => string): string {
  const lines = [
    `${bold('SwiftCache is running')}, this process as: ${[...roles].join(', ')}`,
    '',
    `Health           ${url}/readyz`,
    ...(roles.has('gateway') ? [`HTTP commands    ${url}/redis/`] : []),
    ...(roles.has('edge') ? describeDoor(door) : []),
    '',
    `${bold('Stop')}: Ctrl-C (instances keep running)`,
  ];
  return `\n${lines.join('\n')}\n`;
}

function describeDoor({ host, port, tlsPort, takesPlain, domain }: Service['door']): string[] {
  const lines = takesPlain ? [`redis:// door    ${host}:${port}`] : [];
  if (tlsPort !== undefined) lines.push(`rediss:// door   ${host}:${tlsPort}`);
  if (domain !== undefined) lines.push(`Instances        inst-….redis.${domain}`);
  return lines;
}

function describeStart(
  { url, accountKey, door }: Service,
  organizationId: string,
  bold: (text: string) => string,
): string {
  const keyLines = accountKey
    ? `Account key      ${accountKey}
                 shown this once; keep it safe`
    : 'Account key      shown at the first start only; another one: npm run -s account-key';
  const exported = accountKey ?? 'sk_live_…';
  return `
${bold('SwiftCache is running')}

Base URL         ${url}/api/v1
Organization     ${organizationId}
${keyLines}
${describeDoor(door).join('\n')}

${bold('Create an instance')} (its key is shown in the answer, once)
export SK=${exported}
ANSWER=$(curl -s ${url}/api/v1/instances -H "Authorization: Bearer $SK" -H 'Content-Type: application/json' \\
  -d '{"organizationId":"${organizationId}","name":"my-cache","maxMemory":67108864,"region":"eu-central"}')
export ID=$(echo "$ANSWER" | grep -o 'inst_[a-z2-7]*' | head -1) KEY=$(echo "$ANSWER" | grep -o 'sc_live_[0-9a-f]*' | head -1)
until curl -s ${url}/api/v1/instances/$ID -H "Authorization: Bearer $SK" | grep -q RUNNING; do sleep 0.2; done; echo "$ID runs"

${bold('Use it')}, over HTTP or with any Redis client
curl -s "${url}/redis/$ID/set/greeting/hello" -H "Authorization: Bearer $KEY"; echo
curl -s "${url}/redis/$ID/get/greeting" -H "Authorization: Bearer $KEY"; echo
${listAddresses(door).join('\n')}

${bold('Look at it as an operator')}, from the repository's root
eval "$(npm run -s operator:env)"
pulumi preview -s $ID

${bold('See all of it')}: npm run demo      ${bold('Stop')}: Ctrl-C (instances keep running)
`;
}

function listAddresses({ host, port, tlsPort, takesPlain }: Service['door']): string[] {
  return [
    ...(takesPlain ? [`echo "redis://:$KEY@${host}:${port}"`] : []),
    ...(tlsPort === undefined ? [] : [`echo "rediss://:$KEY@${host}:${tlsPort}"`]),
  ];
}
