// A module of its own, so that the driver is read only when a session is opened.
export { Connection, Request, TYPES } from 'tedious';
