import { DirectoryInternalService } from '@parley/contracts/directory/v1/internal';
import { type CheckNeeds, checkSignIns } from '../app/check-sign-ins.ts';
import { loadPrincipals, type PrincipalNeeds } from '../app/principals.ts';
import { directoryErrors as err } from '../errors.ts';
import { mount } from './calls.ts';
import { principalMessage } from './messages.ts';
import { atMost, id } from './validate.ts';

export function internalService(needs: PrincipalNeeds & CheckNeeds) {
  return mount(DirectoryInternalService, {
    async getPrincipals(request) {
      if (request.ids.length === 0) throw err('directory.field_missing', { field: 'ids' });
      atMost(request.ids, 'ids', 500);
      const ids = request.ids.map((value, i) => id(value, `ids[${i}]`));
      return { principals: (await loadPrincipals(needs, ids)).map(principalMessage) };
    },
    async checkSignIns(request) {
      atMost(request.signInIds, 'sign_in_ids', 10_000);
      const ids = request.signInIds.map((value, i) => id(value, `sign_in_ids[${i}]`));
      return { ended: [...(await checkSignIns(needs, ids))] };
    },
  });
}
