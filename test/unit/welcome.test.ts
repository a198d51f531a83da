import test from 'ava';
import { welcomeText } from '../../src/welcome.ts';

const service = {
  url: 'http://127.0.0.1:8080',
  roles: new Set(['api', 'edge'] as const),
  accountKey: undefined,
  stop: async () => {},
};
const door = { host: 'cache.lan', port: 6379, tlsPort: 6380, takesPlain: true, domain: undefined };

for (const organizationId of ['org_abc', undefined]) {
  const whose = organizationId ? 'the whole service' : 'a part of it';
  const say = (shown: typeof door): string =>
    welcomeText({ ...service, organizationId, door: shown }, false);

  test(`${whose} tells of both its doors, or of that for TLS alone`, (t) => {
    t.regex(say(door), /redis:\/\/ door {4}cache\.lan:6379\nrediss:\/\/ door {3}cache\.lan:6380\n/);
    const secure = say({ ...door, takesPlain: false });
    t.notRegex(secure, /redis:\/\/|6379/);
    t.regex(secure, /\nrediss:\/\/ door {3}cache\.lan:6380\n/);
  });
}
