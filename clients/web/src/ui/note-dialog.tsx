import {
  Button,
  Dialog,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
  Field,
  Input,
} from '@fluentui/react-components';
import { type FormEvent, useState } from 'react';
import { refusalOf } from '../engine/messages.ts';
import type { Refusal } from '../tabs/protocol.ts';
import { characters, MOST_NOTE_CHARACTERS } from '../text/limits.ts';
import { useParley } from './parley.tsx';
import { useTexts } from './texts.tsx';

/** Writes one's own note. */
export function NoteDialog({ note, onClose }: { readonly note: string; readonly onClose: () => void }) {
  const texts = useTexts();
  const { t } = texts;
  const { call } = useParley();
  const [text, setText] = useState(note);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const count = characters(text);
  const over = count > MOST_NOTE_CHARACTERS;

  async function save(value: string): Promise<void> {
    if (busy || characters(value) > MOST_NOTE_CHARACTERS) return;
    setBusy(true);
    try {
      await call('setNote', value.trim());
      onClose();
    } catch (error) {
      setRefusal(refusalOf(error));
      setBusy(false);
    }
  }

  return (
    <Dialog open onOpenChange={(_, { open }) => open || onClose()}>
      <DialogSurface>
        <form
          onSubmit={(event: FormEvent) => {
            event.preventDefault();
            void save(text);
          }}
        >
          <DialogBody>
            <DialogTitle>{t('me.note.title')}</DialogTitle>
            <DialogContent>
              <Field
                label={t('me.note')}
                hint={`${t('me.note.help')} ${t('me.note.length', { count, limit: MOST_NOTE_CHARACTERS })}`}
                {...(refusal && { validationMessage: texts.refusal(refusal) })}
                {...(over && {
                  validationMessage: texts.refusal({
                    code: 'presence.note_too_long',
                    params: { limit: String(MOST_NOTE_CHARACTERS) },
                  }),
                })}
              >
                <Input
                  value={text}
                  dir="auto"
                  autoFocus
                  placeholder={t('me.note.placeholder')}
                  onChange={(_, { value }) => setText(value)}
                />
              </Field>
            </DialogContent>
            <DialogActions>
              {note !== '' && <Button onClick={() => void save('')}>{t('me.note.remove')}</Button>}
              <Button onClick={onClose}>{t('me.cancel')}</Button>
              <Button type="submit" appearance="primary" disabledFocusable={busy || over}>
                {t('me.save')}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}
