import { useEffect, useState } from 'react';
import type { PersonInfo } from '../engine/state.ts';
import { useParley } from './parley.tsx';

/** Addresses of pictures that this tab has, by person and version; they live as long as the tab. */
const addresses = new Map<string, string>();
/** Pictures kept in a tab; the oldest is given up first. */
const MOST_KEPT = 300;

/** What an `img` shows of a person, or undefined while there is nothing: initials stand in for it. */
export function usePhoto(person: PersonInfo | undefined): string | undefined {
  const { call } = useParley();
  const id = person?.id ?? '';
  const version = person?.photoVersion ?? '';
  const key = `${id}/${version}`;
  const [, shown] = useState('');
  useEffect(() => {
    if (version === '' || addresses.has(key)) return;
    let gone = false;
    call('photo', id, version).then(
      photo => {
        if (photo && !addresses.has(key))
          keep(key, URL.createObjectURL(new Blob([photo.data], { type: photo.mediaType })));
        if (!gone) shown(key);
      },
      () => undefined, // a picture that cannot be had is not missed
    );
    return () => {
      gone = true;
    };
  }, [call, id, version, key]);
  return version === '' ? undefined : addresses.get(key);
}

function keep(key: string, address: string): void {
  addresses.set(key, address);
  if (addresses.size <= MOST_KEPT) return;
  const [oldest, given] = addresses.entries().next().value as [string, string];
  addresses.delete(oldest);
  URL.revokeObjectURL(given);
}
