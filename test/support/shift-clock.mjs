/** Loaded into the program with `node --import`: its clock is SHIFT_CLOCK_MS milliseconds ahead, or behind. */
const shift = Number(process.env['SHIFT_CLOCK_MS']);
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...moment) {
    if (moment.length === 0) super(RealDate.now() + shift);
    else super(...moment);
  }

  static now() {
    return RealDate.now() + shift;
  }
};
