// State machines out of synthesized templates, and an interpreter to run them: moto's.
import { setTimeout as sleep } from 'node:timers/promises';

export interface State {
  readonly Type: string;
  readonly [name: string]: unknown;
}
export interface Definition {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

/** The definition with what is known only when it is deployed filled in: a reference by the name of what it refers to. */
export function definitionOf(machine: { readonly [name: string]: unknown }): Definition {
  const { DefinitionString: text } = machine.Properties as { readonly DefinitionString: unknown };
  if (typeof text === 'string') return JSON.parse(text);
  const parts = (text as { 'Fn::Join': [string, unknown[]] })['Fn::Join'][1];
  return JSON.parse(parts.map(filled).join(''));
}

function filled(part: unknown): string {
  if (typeof part === 'string') return part;
  const { Ref, 'Fn::GetAtt': attribute } = part as { Ref?: string; 'Fn::GetAtt'?: [string, string] };
  if (Ref === 'AWS::Partition') return 'aws';
  return Ref ?? attribute!.join('.');
}

export interface Ended {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
}

/**
 * Runs a definition by moto's interpreter to its end. It calls services at `localhost` and the port that MOTO_PORT named
 * when moto was started.
 */
export async function execute(moto: string, definition: Definition, input: unknown): Promise<Ended> {
  const config = JSON.stringify({ stepfunctions: { execute_state_machine: true } });
  await fetch(`${moto}/moto-api/config`, { method: 'POST', body: config });
  machines += 1;
  const { stateMachineArn } = await call(moto, 'CreateStateMachine', {
    name: `machine-${machines}`,
    definition: JSON.stringify(definition),
    roleArn: 'arn:aws:iam::123456789012:role/machine',
  });
  const started = await call(moto, 'StartExecution', { stateMachineArn, input: JSON.stringify(input) });
  for (;;) {
    const { status, output, error, cause } = await call(moto, 'DescribeExecution', {
      executionArn: started.executionArn,
    });
    if (status !== 'RUNNING')
      return { status, error, cause, ...(output ? { output: JSON.parse(output) } : {}) } as Ended;
    await sleep(100);
  }
}
let machines = 0;

async function call(moto: string, action: string, body: object): Promise<Record<string, string>> {
  const answer = await fetch(moto, {
    method: 'POST',
    headers: {
      'x-amz-target': `AWSStepFunctions.${action}`,
      'content-type': 'application/x-amz-json-1.0',
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/eu-central-1/states/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${action}: ${text}`);
  return JSON.parse(text);
}
