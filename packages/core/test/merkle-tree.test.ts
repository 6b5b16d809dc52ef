import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  consistencyProof,
  EMPTY_ROOT,
  EMPTY_TREE,
  growTree,
  inclusionProof,
  isConsistent,
  isIncluded,
  isTreeHash,
  type NodeReader,
  nodeHash,
  readEdge,
  rightEdge,
  type TreeEdge,
  type TreeHash,
  type TreeNode,
  treeRoot,
} from '../src/merkle-tree.js'

/** RFC 6962, 2.1, word for word, over bytes. */
const sha = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()
const naiveLeaf = (data: Uint8Array): Buffer => sha(Buffer.of(0), data)
const k = (n: number): number => {
  let width = 1
  while (width * 2 < n) width *= 2
  return width
}
function naiveRoot(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha()
  if (leaves.length === 1) return leaves[0] as Buffer
  const middle = k(leaves.length)
  return sha(Buffer.of(1), naiveRoot(leaves.slice(0, middle)), naiveRoot(leaves.slice(middle)))
}
function naivePath(m: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length <= 1) return []
  const middle = k(leaves.length)
  return m < middle
    ? [...naivePath(m, leaves.slice(0, middle)), naiveRoot(leaves.slice(middle))]
    : [...naivePath(m - middle, leaves.slice(middle)), naiveRoot(leaves.slice(0, middle))]
}
function naiveSubproof(m: number, leaves: readonly Buffer[], whole: boolean): Buffer[] {
  if (m === leaves.length) return whole ? [] : [naiveRoot(leaves)]
  const middle = k(leaves.length)
  return m <= middle
    ? [...naiveSubproof(m, leaves.slice(0, middle), whole), naiveRoot(leaves.slice(middle))]
    : [...naiveSubproof(m - middle, leaves.slice(middle), false), naiveRoot(leaves.slice(0, middle))]
}
const spell = (bytes: Uint8Array): TreeHash => Buffer.from(bytes).toString('base64url')

/** The seven leaves of the reference tests of Certificate Transparency, and one more. */
const CT_LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => naiveLeaf(Buffer.from(hex, 'hex')))
/** Their heads, as those tests have them. */
const CT_ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

function stored(leaves: readonly Buffer[]): {
  tree: TreeEdge
  nodes: readonly TreeNode[]
  read: NodeReader
  reads: number[]
} {
  const { tree, nodes } = growTree(EMPTY_TREE, leaves.map(spell))
  const reads: number[] = []
  const all = [...leaves.map((hash, index) => ({ level: 0, index, hash: spell(hash) })), ...nodes]
  const byPlace = new Map(all.map(({ level, index, hash }) => [`${level}/${index}`, hash]))
  const read: NodeReader = (places) => {
    reads.push(places.length)
    return places.map(({ level, index }) => byPlace.get(`${level}/${index}`) as TreeHash)
  }
  return { tree, nodes, read, reads }
}
const someLeaves = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, at) => naiveLeaf(Buffer.from(`leaf ${at}`)))

describe('the head of a tree', () => {
  it('is that of the reference tests of Certificate Transparency, at every size', async () => {
    const { read } = stored(CT_LEAVES)
    const heads = await Promise.all(CT_ROOTS.map(async (_, at) => treeRoot(await readEdge(at + 1, read))))
    expect(heads.map((head) => Buffer.from(head, 'base64url').toString('hex'))).toEqual(CT_ROOTS)
  })

  it('is the hash of nothing for a tree without leaves', () => {
    expect(treeRoot(EMPTY_TREE)).toBe(spell(sha()))
    expect(EMPTY_ROOT).toBe(spell(sha()))
  })

  it('is that of the definition, however the leaves were grouped when they came', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 12 }), (groups) => {
        const leaves = someLeaves(groups.reduce((sum, count) => sum + count, 0))
        let tree = EMPTY_TREE
        const nodes: TreeNode[] = []
        for (const count of groups) {
          const grown = growTree(tree, leaves.slice(tree.size, tree.size + count).map(spell))
          nodes.push(...grown.nodes)
          tree = grown.tree
        }
        expect(treeRoot(tree)).toBe(spell(naiveRoot(leaves)))
        expect(nodes).toEqual(stored(leaves).nodes)
      }),
    )
  })
})

describe('what a tree stores', () => {
  it('is each perfect subtree once, above the leaves', () => {
    const leaves = someLeaves(70)
    const { nodes } = stored(leaves)
    for (const { level, index, hash } of nodes) {
      expect(hash).toBe(spell(naiveRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))))
    }
    expect(nodes.length).toBe(35 + 17 + 8 + 4 + 2 + 1)
    expect(new Set(nodes.map(({ level, index }) => `${level}/${index}`)).size).toBe(nodes.length)
  })

  it('is found at the edge of sizes that need more than 32 bits', () => {
    const size = 2 ** 40 + 2 ** 33 + 1
    expect(rightEdge(size)).toEqual([
      { level: 40, index: 0 },
      { level: 33, index: 2 ** 7 },
      { level: 0, index: size - 1 },
    ])
  })
})

describe('inclusion', () => {
  const sizes = fc.integer({ min: 1, max: 90 }).chain((size) => fc.tuple(fc.constant(size), fc.nat({ max: size - 1 })))

  it('is proved by the path of the definition, and verified', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async ([size, index]) => {
        const leaves = someLeaves(size)
        const proof = await inclusionProof(index, size, stored(someLeaves(90)).read)
        expect(proof).toEqual(naivePath(index, leaves).map(spell))
        const root = spell(naiveRoot(leaves))
        expect(isIncluded({ leafHash: spell(leaves[index] as Buffer), index, size, proof, root })).toBe(true)
      }),
    )
  })

  it('is refused with anything else in any place', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), async ([size, index], pick) => {
        const leaves = someLeaves(size)
        const good = {
          leafHash: spell(leaves[index] as Buffer),
          index,
          size,
          proof: await inclusionProof(index, size, stored(leaves).read),
          root: spell(naiveRoot(leaves)),
        }
        const other = spell(sha(Buffer.from('other')))
        const at = pick % Math.max(1, good.proof.length)
        const bad = [
          { ...good, leafHash: other },
          { ...good, root: other },
          { ...good, index: size },
          { ...good, index: -1 },
          { ...good, proof: [...good.proof, good.root] },
          { ...good, proof: [other, ...good.proof] },
          ...(good.proof.length === 0 ? [] : [{ ...good, proof: good.proof.with(at, other) }]),
          ...(good.proof.length === 0 ? [] : [{ ...good, proof: good.proof.toSpliced(at, 1) }]),
          ...(size > 1 ? [{ ...good, index: (index + 1 + (pick % (size - 1))) % size }] : []),
        ]
        expect(bad.filter(isIncluded)).toEqual([])
      }),
    )
  })

  it.each([
    ['of no leaf', 7, 7],
    ['before the first', -1, 7],
    ['of half a leaf', 0.5, 7],
    ['in an empty tree', 0, 0],
    ['in a tree of half a leaf', 0, 1.5],
  ])('is not proved %s', async (_, index, size) => {
    await expect(inclusionProof(index, size, stored(someLeaves(8)).read)).rejects.toThrow(TypeError)
    expect(isIncluded({ leafHash: EMPTY_ROOT, index, size, proof: [], root: EMPTY_ROOT })).toBe(false)
  })

  it.each([
    ['a text of no hash', 'x'],
    ['padding', `${EMPTY_ROOT}=`],
    ['another spelling of the same bytes', `${EMPTY_ROOT.slice(0, -1)}V`],
    ['no text', 7 as unknown as string],
  ])('is refused for %s', (_, hash) => {
    expect(isTreeHash(hash)).toBe(false)
    expect(isIncluded({ leafHash: hash, index: 0, size: 1, proof: [], root: hash })).toBe(false)
    const root = nodeHash(EMPTY_ROOT, EMPTY_ROOT)
    expect(isIncluded({ leafHash: EMPTY_ROOT, index: 0, size: 2, proof: [hash], root })).toBe(false)
  })
})

describe('consistency', () => {
  const sizes = fc
    .integer({ min: 1, max: 90 })
    .chain((size) => fc.tuple(fc.integer({ min: 1, max: size }), fc.constant(size)))

  it('is proved as in the definition, and verified', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async ([oldSize, size]) => {
        const leaves = someLeaves(size)
        const proof = await consistencyProof(oldSize, size, stored(someLeaves(90)).read)
        expect(proof).toEqual(naiveSubproof(oldSize, leaves, true).map(spell))
        const [oldRoot, root] = [spell(naiveRoot(leaves.slice(0, oldSize))), spell(naiveRoot(leaves))]
        expect(isConsistent({ oldSize, oldRoot, size, root, proof })).toBe(true)
      }),
    )
  })

  it('is refused with anything else in any place, and for a history that was rewritten', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), async ([oldSize, size], pick) => {
        const leaves = someLeaves(size)
        const root = (of: readonly Buffer[]): TreeHash => spell(naiveRoot(of))
        const good = {
          oldSize,
          oldRoot: root(leaves.slice(0, oldSize)),
          size,
          root: root(leaves),
          proof: await consistencyProof(oldSize, size, stored(leaves).read),
        }
        const other = spell(sha(Buffer.from('other')))
        const forked = leaves.with(pick % oldSize, naiveLeaf(Buffer.from('rewritten')))
        const forkedProof = await consistencyProof(oldSize, size, stored(forked).read)
        const at = pick % Math.max(1, good.proof.length)
        const bad = [
          { ...good, oldRoot: other },
          { ...good, root: other },
          { ...good, root: root(forked), proof: forkedProof },
          { ...good, oldSize: size + 1 },
          { ...good, oldSize: 0 },
          { ...good, oldSize: 0, oldRoot: EMPTY_ROOT, proof: [] },
          { ...good, proof: [...good.proof, good.root] },
          { ...good, proof: [other, ...good.proof] },
          ...(good.proof.length === 0 ? [] : [{ ...good, proof: good.proof.with(at, other) }]),
          ...(good.proof.length === 0 ? [] : [{ ...good, proof: good.proof.toSpliced(at, 1) }]),
        ]
        expect(bad.filter(isConsistent)).toEqual([])
      }),
    )
  })

  it.each([
    ['from nothing', 0, 7],
    ['from a larger tree', 8, 7],
    ['from less than nothing', -1, 7],
    ['from half a leaf', 1.5, 7],
    ['to no size', 1, Number.NaN],
  ])('is not proved %s', async (_, oldSize, size) => {
    await expect(consistencyProof(oldSize, size, stored(someLeaves(8)).read)).rejects.toThrow(TypeError)
    expect(isConsistent({ oldSize, oldRoot: EMPTY_ROOT, size, root: EMPTY_ROOT, proof: [] })).toBe(false)
  })
})

describe('a tree that was stored', () => {
  it('is read once for a proof, and a logarithm of it', async () => {
    const { read, reads } = stored(someLeaves(1000))
    await inclusionProof(321, 999, read)
    await consistencyProof(321, 999, read)
    expect(reads).toHaveLength(2)
    expect(Math.max(...reads)).toBeLessThanOrEqual(20)
  })

  it('proves nothing when a node of it is missing', async () => {
    const none: NodeReader = (places) => places.slice(1).map(() => EMPTY_ROOT)
    await expect(inclusionProof(0, 8, none)).rejects.toThrow(TypeError)
    await expect(readEdge(7, () => [EMPTY_ROOT, 'x', EMPTY_ROOT])).rejects.toThrow(TypeError)
  })

  it('does not grow from an edge of another size, nor by what is no hash', () => {
    expect(() => growTree({ size: 2, hashes: [] }, [EMPTY_ROOT])).toThrow(TypeError)
    expect(() => treeRoot({ size: 0, hashes: [EMPTY_ROOT] })).toThrow(TypeError)
    expect(() => growTree(EMPTY_TREE, ['leaf'])).toThrow(TypeError)
  })
})
