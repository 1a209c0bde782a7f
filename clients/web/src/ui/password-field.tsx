import { Button, Field, Input } from '@fluentui/react-components';
import { EyeRegular } from '@fluentui/react-icons/svg/eye';
import { EyeOffRegular } from '@fluentui/react-icons/svg/eye-off';
import { type Ref, useState } from 'react';
import { fluentRef } from './fluent-ref.ts';
import { useTexts } from './texts.tsx';

/** A password that can be looked at. */
export function PasswordField(props: {
  readonly label: string;
  readonly name: string;
  readonly autoComplete: 'current-password' | 'new-password';
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly problem?: string | undefined;
  readonly hint?: string | undefined;
  readonly inputRef?: Ref<HTMLInputElement>;
}) {
  const { t } = useTexts();
  const [open, setOpen] = useState(false);
  const { problem, hint, inputRef } = props;
  return (
    <Field
      label={props.label}
      {...(hint !== undefined && { hint })}
      {...(problem !== undefined && { validationMessage: problem, validationState: 'error' as const })}
    >
      <Input
        {...(inputRef && { ref: fluentRef(inputRef) })}
        size="large"
        name={props.name}
        type={open ? 'text' : 'password'}
        autoComplete={props.autoComplete}
        spellCheck={false}
        autoCapitalize="none"
        value={props.value}
        onChange={(_, { value }) => props.onChange(value)}
        contentAfter={
          <Button
            appearance="transparent"
            size="small"
            icon={open ? <EyeOffRegular /> : <EyeRegular />}
            aria-label={t(open ? 'sign-in.hide-password' : 'sign-in.show-password')}
            aria-pressed={open}
            onClick={() => setOpen(!open)}
          />
        }
      />
    </Field>
  );
}
