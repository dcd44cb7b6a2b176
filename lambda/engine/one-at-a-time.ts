import { OperationError } from '../errors.js';

const running = (database: string) =>
  `another restore or undo of database ${JSON.stringify(database)} is running`;

/** Said while another one is waited for: it may take some seconds. */
export const waitingFor = (database: string): string => `${running(database)}: waiting for it`;

/** When it was waited for in vain. */
export const stillRunning = (database: string): OperationError =>
  new OperationError(
    `${running(database)}; the live database was not touched: run again when the other one has ended`,
  );
