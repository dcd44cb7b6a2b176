import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ValidationFailure, type Validator } from './validator.js';

export interface HookSettings {
  /** ARN of the function that judges. */
  readonly function: string;
}

/**
 * A function of the customer's own judges. It gets the restored resource as JSON (`Restored`), and answers
 * `{"passed": true | false, "message": "..."}`. An error that it throws is a failed drill.
 */
export const hook: Validator<HookSettings> = async (restored, settings) => {
  const answer = await new LambdaClient().send(
    new InvokeCommand({ FunctionName: settings.function, Payload: Buffer.from(JSON.stringify(restored)) }),
  );
  const text = Buffer.from(answer.Payload ?? []).toString('utf8');
  if (answer.FunctionError) throw new ValidationFailure(`${settings.function} failed: ${text.slice(0, 500)}`);
  const verdict = parsed(text);
  const message = typeof verdict.message === 'string' ? verdict.message : '';
  if (verdict.passed === true) return message || `${settings.function} found nothing wrong`;
  if (verdict.passed === false) throw new ValidationFailure(message || `${settings.function} said no`);
  throw new ValidationFailure(`${settings.function} answered neither {"passed": true} nor {"passed": false}`);
};

function parsed(text: string): { passed?: unknown; message?: unknown } {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
