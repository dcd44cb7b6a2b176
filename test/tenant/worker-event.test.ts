import type * as WorkerEvents from '../../lambda/aws/worker-event';
import { bundled } from '../support/bundled';

const { parseWorkerEvent } = bundled<typeof WorkerEvents>('lambda/aws/worker-event.ts');
const event = (more: object) => parseWorkerEvent({ action: 'dump', tenant: 'acme', ...more });

test("the worker's event says how many sessions work, and how long a statement may take", () => {
  expect(event({ jobs: 4, statementTimeout: 600 })).toMatchObject({ jobs: 4, statementTimeout: 600 });
  expect(event({ action: 'restore', confirm: 'acme', jobs: 2 })).toMatchObject({ jobs: 2 });
  expect(event({})).not.toHaveProperty('jobs');
});

test.each([
  [{ action: undefined }, '"action" must be one of'],
  [{ action: 'drop' }, '"action" must be one of'],
  [{ tenant: undefined }, '"tenant" is missing'],
  [{ tenant: '' }, '"tenant" must be a text'],
  [{ force: true }, '"force" is not known'],
  [{ action: 'verify', at: 'yesterday' }, '"at" must be a time'],
  [{ action: 'restore' }, '"confirm" must repeat its name: "acme"'],
  [{ jobs: 0 }, '"jobs" must be a whole number from 1 to 64, got 0'],
  [{ jobs: '4' }, '"jobs" must be a whole number from 1 to 64, got "4"'],
  [{ jobs: 1.5 }, '"jobs" must be a whole number from 1 to 64, got 1.5'],
  [{ statementTimeout: -1 }, '"statementTimeout" must be a whole number from 1 to 31536000, got -1'],
  [{ action: 'list', jobs: 2 }, '"jobs" goes with dump, drill, restore alone'],
  [{ action: 'drill', statementTimeout: 2 }, '"statementTimeout" goes with dump alone'],
])('bad input: %j', (more, message) => {
  expect(() => event(more)).toThrow(message);
});
