import type { Flight } from "./flight.ts";

/**
 * Flights by name, in open addressing. Not a Map: a Map that is filled and emptied all the time leaves its old tables
 * behind, each of which keeps the flights that were in it alive, and with them whole requests, until all of memory is
 * collected. Measured: a third of what a miss cost.
 */
export class FlightTable {
  private slots = new Array<Flight | undefined>(FIRST_CAPACITY).fill(undefined);
  private count = 0;

  get size(): number {
    return this.count;
  }

  find(hash: number, name: string): Flight | undefined {
    const { slots } = this;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const flight = slots[slot];
      if (flight === undefined || (flight.hash === hash && flight.name === name)) return flight;
    }
  }

  /** Adds one whose name no other has. */
  add(flight: Flight): void {
    if (this.count * 2 >= this.slots.length) this.grow();
    this.count++;
    this.fill(flight);
  }

  /** Takes it out, if it is there. */
  remove(flight: Flight): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let gap = flight.hash & mask;
    while (slots[gap] !== flight) {
      if (slots[gap] === undefined) return;
      gap = (gap + 1) & mask;
    }
    this.count--;
    for (let slot = (gap + 1) & mask; slots[slot] !== undefined; slot = (slot + 1) & mask) {
      const home = (slots[slot] as Flight).hash & mask;
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      slots[gap] = slots[slot];
      gap = slot;
    }
    slots[gap] = undefined;
  }

  private fill(flight: Flight): void {
    const mask = this.slots.length - 1;
    let slot = flight.hash & mask;
    while (this.slots[slot] !== undefined) slot = (slot + 1) & mask;
    this.slots[slot] = flight;
  }

  private grow(): void {
    const old = this.slots;
    this.slots = new Array<Flight | undefined>(old.length * 2).fill(undefined);
    for (const flight of old) if (flight !== undefined) this.fill(flight);
  }
}

const FIRST_CAPACITY = 256;
