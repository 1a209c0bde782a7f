import { AuthService } from '@parley/contracts/directory/v1/auth';
import { type ChangePasswordNeeds, changePassword } from '../app/change-password.ts';
import { type RefreshNeeds, refresh } from '../app/refresh.ts';
import { type SignInNeeds, signIn } from '../app/sign-in.ts';
import { type SignOutNeeds, signOut } from '../app/sign-out.ts';
import { actorOf, callOf, mount } from './calls.ts';
import { personMessage, roleMessages, tokensMessage } from './messages.ts';
import { address, line, opaque, password } from './validate.ts';

export type AuthNeeds = SignInNeeds &
  RefreshNeeds &
  SignOutNeeds &
  ChangePasswordNeeds & { readonly keySetMaxAgeMs: number };

const maxToken = 512;

export function authService(needs: AuthNeeds) {
  return mount(AuthService, {
    async signIn(request, context) {
      const command = {
        address: address(request.address, 'address'),
        password: password(request.password, 'password'),
        deviceLabel: line(request.deviceLabel, 'device_label', 128, false),
      };
      const { tokens, person, roles, passwordChangeRequired } = await signIn(needs, command, callOf(context));
      return {
        tokens: tokensMessage(tokens),
        person: personMessage(person),
        roles: roleMessages(roles),
        passwordChangeRequired,
      };
    },
    async refresh(request, context) {
      const token = opaque(request.refreshToken, 'refresh_token', maxToken);
      return { tokens: tokensMessage(await refresh(needs, token, callOf(context))) };
    },
    async signOut(request, context) {
      const refreshToken = opaque(request.refreshToken, 'refresh_token', maxToken);
      await signOut(needs, { refreshToken, everywhere: request.everywhere }, callOf(context));
      return {};
    },
    async changePassword(request, context) {
      const command = {
        currentPassword: password(request.currentPassword, 'current_password'),
        newPassword: password(request.newPassword, 'new_password'),
      };
      return { tokens: tokensMessage(await changePassword(needs, command, actorOf(context), callOf(context))) };
    },
    async getKeySet() {
      const jwksJson = needs.accessTokens.keySetJson();
      return { jwksJson, maxAgeSeconds: Math.max(1, Math.floor(needs.keySetMaxAgeMs / 1000)) };
    },
  });
}
