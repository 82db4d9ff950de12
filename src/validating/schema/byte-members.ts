import { ByteNode, EVERYTHING, OBJECT } from "./byte-node.ts";
import { Word } from "./byte-word.ts";

/** As many as an integer has bits to spare. */
const MAX_WORDS = 30;
/** What stands in JSON as it is. */
export const PLAIN_NAME = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/;

export type Members = readonly (readonly [name: string, member: ByteNode])[];

/** Says which members an object has. Those with plain names are found by comparing bytes. */
export function nameMembers(node: ByteNode, members: Members, required: readonly string[]): void {
  const plain = members.filter(([name]) => PLAIN_NAME.test(name)).slice(0, MAX_WORDS);
  const names = plain.map(([name]) => name);
  node.names = names;
  node.words = names.map((name) => new Word(`"${name}":`));
  node.members = plain.map(([, member]) => member);
  node.required = required.reduce((bits, name) => (names.includes(name) ? bits | (1 << names.indexOf(name)) : bits), 0);
  node.others = new Map(members.filter(([name]) => !names.includes(name)));
  node.requiredOthers = new Set(required.filter((name) => !names.includes(name)));
  node.hasOthers = node.others.size > 0 || node.requiredOthers.size > 0;
}

const membersOf = ({ names, members, others }: ByteNode): Members => [
  ...names.map((name, i) => [name, members[i] as ByteNode] as const),
  ...others,
];

const requiredOf = ({ names, required, requiredOthers }: ByteNode): string[] => [
  ...names.filter((_, i) => (required & (1 << i)) !== 0),
  ...requiredOthers,
];

/**
 * Objects described in pieces, as `allOf` mostly means it, are one object: read once, and not once for each piece.
 * @param free the node of whatever is allowed
 */
export function joinPieces(node: ByteNode, free: ByteNode): void {
  const pieces = [node, ...node.all];
  const takes = pieces.reduce((bits, piece) => bits & piece.takes, EVERYTHING);
  const own = new Set(membersOf(node).map(([name]) => name));
  const isPlain = pieces.every(
    (piece) =>
      piece.unsure === 0 &&
      (piece === node || (piece.additional === free && !piece.hasBranches)) &&
      // What the node itself says of further members must be said of those that no piece names.
      (node.additional === free || membersOf(piece).every(([name]) => own.has(name))),
  );
  if (takes !== OBJECT || !isPlain || node.any.length + node.one.length > 0) return;
  const members = new Map<string, ByteNode>();
  for (const piece of pieces) {
    for (const [name, member] of membersOf(piece)) {
      const known = members.get(name);
      const isSame = known === undefined || known === free || known === member;
      members.set(name, isSame ? member : member === free ? known : makeBoth(known, member));
    }
  }
  nameMembers(node, [...members], pieces.flatMap(requiredOf));
  node.leastMembers = Math.max(...pieces.map(({ leastMembers }) => leastMembers));
  node.mostMembers = Math.min(...pieces.map(({ mostMembers }) => mostMembers));
  node.takes = OBJECT;
  node.all = [];
  node.hasBranches = false;
}

function makeBoth(one: ByteNode, other: ByteNode): ByteNode {
  const node = new ByteNode();
  node.takes = EVERYTHING;
  node.unsure = 0;
  node.all = [one, other];
  node.isOpen = true;
  node.hasBranches = true;
  return node;
}
