/**
 * Loaded into the program with `node --import`: its clock is SHIFT_CLOCK_MS milliseconds ahead, or behind; and somebody sets
 * it to SHIFT_CLOCK_THEN_MS when it was looked at SHIFT_CLOCK_LOOKS times.
 */
const { SHIFT_CLOCK_MS: first, SHIFT_CLOCK_THEN_MS: then = first, SHIFT_CLOCK_LOOKS: most = 'Infinity' } = process.env;
const RealDate = Date;
let looks = 0;

function now() {
  looks += 1;
  return RealDate.now() + Number(looks > Number(most) ? then : first);
}

globalThis.Date = class extends RealDate {
  constructor(...moment) {
    if (moment.length === 0) super(now());
    else super(...moment);
  }

  static now() {
    return now();
  }
};
