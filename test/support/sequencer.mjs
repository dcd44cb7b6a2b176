import Sequencer from '@jest/test-sequencer';

/** Tests that wait for servers, browsers and other tools: where one of them comes last, it runs alone for a minute. */
const LONG = /\/test\/(faults|integration|quality|report|drill)\//;

/** A fresh clone knows no durations, and Jest goes by the size of files, which says little of ours. */
export default class LongOnesFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const isLong = ({ path }) => LONG.test(path);
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))];
  }
}
