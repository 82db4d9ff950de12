import type { Steps } from "../core/slices.ts";
import type { Instance } from "../core/upstream.ts";
import { isAddress, Member } from "./member.ts";

/** Instances between two places to pause. */
const STRIDE = 128;

export interface RosterEvents {
  /** @param isFirst it was among those that were there from the beginning */
  joined(member: Member, isFirst: boolean): void;
  left(member: Member): void;
  /** Another list stands. */
  changed(members: readonly Member[]): Steps;
  /** Discovery keeps it without hearing of it. @param place among those of which this is so since the same update */
  doubted(member: Member, place: number): void;
}

/** The members of a service, as discovery names them: what was seen of those that stay is kept. */
export class Roster {
  /** What discovery said last, once it has been taken over as a whole. */
  members: readonly Member[] = [];
  private readonly service: string;
  private readonly events: RosterEvents;
  private readonly byId = new Map<string, Member>();
  private updates = 0;

  constructor(service: string, events: RosterEvents) {
    this.service = service;
    this.events = events;
  }

  /** Takes discovery's word. One update at a time. */
  *take(instances: readonly Instance[]): Steps {
    const before = this.members;
    const doubted: Member[] = [];
    const round = ++this.updates;
    const members: Member[] = [];
    let isChanged = instances.length !== before.length;
    for (const [i, instance] of instances.entries()) {
      if (i % STRIDE === STRIDE - 1) yield;
      const same = this.byId.get(instance.id);
      // Of thousands that a source tells of, few are news: the others are the very objects of the last time.
      if (same !== undefined && same.instance === instance && same.updatedIn !== round) {
        same.updatedIn = round;
        members.push(same);
        continue;
      }
      isChanged = true;
      // A source that checks nothing must not take the whole service down with one bad address.
      if (!isAddress(instance.url)) continue;
      const stays = same !== undefined && same.updatedIn !== round && same.instance.url === instance.url;
      const member = stays ? same : this.join(instance, before.length === 0);
      if (instance.unconfirmed === true && !(stays && same.instance.unconfirmed === true)) doubted.push(member);
      member.instance = instance;
      member.updatedIn = round;
      members.push(member);
    }
    if (!isChanged) return;
    this.members = members;
    yield* this.events.changed(members);
    for (const [i, member] of before.entries()) {
      if (i % STRIDE === STRIDE - 1) yield;
      if (member.updatedIn !== round) this.leave(member);
    }
    for (const [i, member] of doubted.entries()) {
      if (i % STRIDE === STRIDE - 1) yield;
      if (!member.hasLeft) this.events.doubted(member, i);
    }
  }

  private join(instance: Instance, isFirst: boolean): Member {
    const member = new Member(this.service, instance);
    this.events.joined(member, isFirst);
    this.byId.set(instance.id, member);
    return member;
  }

  private leave(member: Member): void {
    if (this.byId.get(member.instance.id) === member) this.byId.delete(member.instance.id);
    member.hasLeft = true;
    member.isCandidate = false;
    this.events.left(member);
  }
}
