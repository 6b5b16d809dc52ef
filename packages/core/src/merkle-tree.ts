/**
 * The Merkle tree over the leaves of a log (RFC 6962, RFC 9162): its head, its growth, its proofs and how a stranger checks them.
 *
 * A store keeps the perfect subtrees, fewer than two nodes for each leaf: whatever is asked about the tree, also as it was at an
 * earlier size, is made of a logarithm of them. Hashes are base64url of SHA-256. Sizes pass 2^31, so no bit operators.
 *
 * @module
 */

/** 32 bytes in base64url, the one spelling of them. */
export type TreeHash = string

/** The perfect subtree over the leaves from `index` · 2^level, 2^level of them. Level 0 are the leaf hashes. */
export interface TreePlace {
  readonly level: number
  readonly index: number
}
export interface TreeNode extends TreePlace {
  readonly hash: TreeHash
}

/** The hashes at these places, in this order. Throws when one is missing: the tree is broken then, and proves nothing. */
export type NodeReader = (places: readonly TreePlace[]) => readonly TreeHash[] | Promise<readonly TreeHash[]>

/** A tree as far as growing needs it: its size, and the hashes at `rightEdge(size)`. */
export interface TreeEdge {
  readonly size: number
  readonly hashes: readonly TreeHash[]
}

/** The head of the tree without leaves: SHA-256 of nothing. */
export const EMPTY_ROOT: TreeHash = '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'
export const EMPTY_TREE: TreeEdge = { size: 0, hashes: [] }

const TREE_HASH = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

export function isTreeHash(value: unknown): value is TreeHash {
  return typeof value === 'string' && TREE_HASH.test(value)
}

/** SHA-256(0x01 ‖ left ‖ right): the one byte keeps a node from passing for a leaf (RFC 6962, 2.1). @throws TypeError without `node:crypto` */
export function nodeHash(left: TreeHash, right: TreeHash): TreeHash {
  if (sha256 === undefined) throw new TypeError('nodeHash needs node:crypto')
  return sha256(left, right)
}

/** The perfect subtrees that cover a tree of `size`, left to right: what to read before it grows, and what its head is made of. */
export function rightEdge(size: number): readonly TreePlace[] {
  return cover(0, sizeOf(size))
}

/**
 * The tree with these leaves behind it, and the perfect subtrees that they complete: each is to be stored once, in the transaction of
 * the leaves. Level 0 is not among them: leaf hashes lie with their leaves.
 */
export function growTree(
  tree: TreeEdge,
  leafHashes: readonly TreeHash[],
): { readonly tree: TreeEdge; readonly nodes: readonly TreeNode[] } {
  checkEdge(tree)
  const hashes = [...tree.hashes]
  const nodes: TreeNode[] = []
  let size = tree.size
  for (const leaf of leafHashes) {
    if (!isTreeHash(leaf)) throw new TypeError('a leaf hash is 32 bytes in base64url')
    let hash = leaf
    let index = size
    for (let level = 0; index % 2 === 1; level++) {
      hash = nodeHash(hashes.pop() as TreeHash, hash)
      index = half(index)
      nodes.push({ level: level + 1, index, hash })
    }
    hashes.push(hash)
    size = sizeOf(size + 1)
  }
  return { tree: { size, hashes }, nodes }
}

/** The head of a tree (RFC 9162, 2.1.1), from its edge. */
export function treeRoot(tree: TreeEdge): TreeHash {
  checkEdge(tree)
  return tree.hashes.length === 0 ? EMPTY_ROOT : fold(tree.hashes)
}

/** The edge of the tree as it was at `size`; its head is `treeRoot` of it. */
export async function readEdge(size: number, nodes: NodeReader): Promise<TreeEdge> {
  const places = rightEdge(size)
  return { size, hashes: await read(places, nodes) }
}

/**
 * The hashes that lead from leaf `index` to the head of the tree of `size` (RFC 9162, 2.1.3.1), nearest first.
 *
 * @throws TypeError unless 0 ≤ index < size
 */
export async function inclusionProof(index: number, size: number, nodes: NodeReader): Promise<readonly TreeHash[]> {
  if (!(isCount(index) && isCount(size) && index < size)) {
    throw new TypeError('an inclusion proof is of a leaf within the tree')
  }
  const ranges: Range[] = []
  let [from, to] = [0, size]
  while (to - from > 1) {
    const middle = from + split(to - from)
    if (index < middle) {
      ranges.unshift([middle, to])
      to = middle
    } else {
      ranges.unshift([from, middle])
      from = middle
    }
  }
  return readRanges(ranges, nodes)
}

/**
 * The hashes which show that the tree of `size` begins with the tree of `oldSize` (RFC 9162, 2.1.4.1). None when they are equal.
 *
 * @throws TypeError unless 0 < oldSize ≤ size
 */
export async function consistencyProof(oldSize: number, size: number, nodes: NodeReader): Promise<readonly TreeHash[]> {
  if (!(isCount(oldSize) && isCount(size) && oldSize > 0 && oldSize <= size)) {
    throw new TypeError('a consistency proof is between a tree with leaves and one that is not smaller')
  }
  const ranges: Range[] = []
  let [from, to] = [0, size]
  while (oldSize < to) {
    const middle = from + split(to - from)
    if (oldSize <= middle) {
      ranges.unshift([middle, to])
      to = middle
    } else {
      ranges.unshift([from, middle])
      from = middle
    }
  }
  // Where the old tree is a perfect subtree at the left, whoever checks has its hash: it is the old head.
  return readRanges(from === 0 ? ranges : [[from, to], ...ranges], nodes)
}

export interface Inclusion {
  readonly leafHash: TreeHash
  readonly index: number
  readonly size: number
  readonly proof: readonly TreeHash[]
  readonly root: TreeHash
}

/** RFC 9162, 2.1.3.2. False for whatever is malformed, too short or too long: it never throws for what a stranger sent. */
export function isIncluded({ leafHash, index, size, proof, root }: Inclusion): boolean {
  if (!isCount(index) || !isCount(size) || index >= size) return false
  if (!isTreeHash(leafHash) || !isTreeHash(root) || !isProof(proof)) return false
  let place = index
  let last = size - 1
  let hash = leafHash
  for (const sibling of proof) {
    if (last === 0) return false
    if (place % 2 === 1 || place === last) {
      hash = nodeHash(sibling, hash)
      while (place % 2 === 0 && place !== 0) {
        place = half(place)
        last = half(last)
      }
    } else hash = nodeHash(hash, sibling)
    place = half(place)
    last = half(last)
  }
  return last === 0 && hash === root
}

export interface Consistency {
  readonly oldSize: number
  readonly oldRoot: TreeHash
  readonly size: number
  readonly root: TreeHash
  readonly proof: readonly TreeHash[]
}

/** RFC 9162, 2.1.4.2. False also from size 0, which every tree begins with: it would prove nothing. */
export function isConsistent({ oldSize, oldRoot, size, root, proof }: Consistency): boolean {
  if (!isCount(oldSize) || !isCount(size) || oldSize === 0 || oldSize > size) return false
  if (!isTreeHash(oldRoot) || !isTreeHash(root) || !isProof(proof)) return false
  if (oldSize === size) return proof.length === 0 && oldRoot === root
  const [first, ...rest] = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : proof
  if (first === undefined) return false
  let place = oldSize - 1
  let last = size - 1
  while (place % 2 === 1) {
    place = half(place)
    last = half(last)
  }
  let [oldHash, hash] = [first, first]
  for (const sibling of rest) {
    if (last === 0) return false
    if (place % 2 === 1 || place === last) {
      oldHash = nodeHash(sibling, oldHash)
      hash = nodeHash(sibling, hash)
      while (place % 2 === 0 && place !== 0) {
        place = half(place)
        last = half(last)
      }
    } else hash = nodeHash(hash, sibling)
    place = half(place)
    last = half(last)
  }
  return last === 0 && oldHash === oldRoot && hash === root
}

/** Leaves from … to, without the last. */
type Range = readonly [from: number, to: number]

async function readRanges(ranges: readonly Range[], nodes: NodeReader): Promise<readonly TreeHash[]> {
  const covers = ranges.map(([from, to]) => cover(from, to))
  const hashes = await read(covers.flat(), nodes)
  let at = 0
  return covers.map(({ length }) => {
    const range = hashes.slice(at, at + length)
    at += length
    return fold(range)
  })
}

async function read(places: readonly TreePlace[], nodes: NodeReader): Promise<readonly TreeHash[]> {
  if (places.length === 0) return []
  const hashes = await nodes(places)
  if (hashes.length !== places.length || !hashes.every(isTreeHash)) throw new TypeError('nodes of the tree are missing')
  return hashes
}

/** Perfect subtrees over a range that begins at a multiple of a power of two not below its length. */
function cover(from: number, to: number): TreePlace[] {
  const places: TreePlace[] = []
  for (let at = from; at < to; ) {
    let level = 0
    let width = 1
    while (width * 2 <= to - at) {
      width *= 2
      level++
    }
    places.push({ level, index: at / width })
    at += width
  }
  return places
}

function fold(hashes: readonly TreeHash[]): TreeHash {
  return hashes.reduceRight((right, left) => nodeHash(left, right))
}

/** The largest power of two below `size`. */
function split(size: number): number {
  let width = 1
  while (width * 2 < size) width *= 2
  return width
}

function isPowerOfTwo(size: number): boolean {
  return size === 1 || split(size) * 2 === size
}

function half(value: number): number {
  return Math.floor(value / 2)
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

/** No tree that can be counted needs more than two hashes for each level. */
function isProof(proof: readonly TreeHash[]): boolean {
  return Array.isArray(proof) && proof.length <= 128 && proof.every(isTreeHash)
}

function sizeOf(size: number): number {
  if (!isCount(size)) throw new TypeError('the size of a tree is a count of leaves')
  return size
}

function checkEdge({ size, hashes }: TreeEdge): void {
  if (cover(0, sizeOf(size)).length !== hashes.length)
    throw new TypeError('an edge has one hash for each perfect subtree')
}

// No static import of node:crypto: the main entry must load in every runtime.
const sha256 = nodeSha256()

function nodeSha256(): ((left: TreeHash, right: TreeHash) => TreeHash) | undefined {
  const node = globalThis.process?.getBuiltinModule?.('node:crypto')
  if (node === undefined) return undefined
  const bytes = Buffer.alloc(65, 1)
  return (left, right) => {
    // Within one call: nobody else writes between.
    bytes.write(left, 1, 32, 'base64url')
    bytes.write(right, 33, 32, 'base64url')
    return node.createHash('sha256').update(bytes).digest('base64url')
  }
}
