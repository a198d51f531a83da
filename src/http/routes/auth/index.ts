import type { Route } from '../../route.ts';
import { logInRoute } from './log-in.ts';
import { logOutRoute } from './log-out.ts';
import { passwordRoute } from './password.ts';
import { sessionRoute } from './session.ts';
import { signUpRoute } from './sign-up.ts';

export const authRoutes: readonly Route[] = [
  signUpRoute,
  logInRoute,
  logOutRoute,
  sessionRoute,
  passwordRoute,
];
