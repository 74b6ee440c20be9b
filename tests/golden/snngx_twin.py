#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""An independent twin of SNNGX's genetic search (crypto/snngx.c) in NumPy, with a network of its own.

snngx_twin.py FOLDER   repeats the search that tests/check/snngx_trace wrote into FOLDER, and compares every generation (best individual: bits, correct samples, lead; evaluations) and the last best set

Published (arXiv 2407.15152 and its code): population 100, all bits flipped and then mutated; mutation takes each flip back with probability 0.05; fitness of D flips with accuracy A: D <= eps ? eps A :
D + D A; the best 60 stay, as halves of 30; 5 random places swap partners between the halves; uniform crossover, two children a pair, until there are 100; each round mutates three of the kept, never the best.

Draws, in words of Philox4x32-10 streams (seed, purpose 10, generation << 24 | number):
  first population  individual i has stream 2^23 + i of generation 0
  a generation      stream 0: the 5 swaps; then for each of the 20 rounds: one stream for the crossover, three for the mutations
  mutation          one word for each flip, ascending: back when it is below floor((2^32 - 1) / 20)
  crossover         one word for each flip that only one parent has, ascending: top bit 0 leaves it with its own child, 1 gives it to the other
  number below n    upper word of word * n, words that would bias it drawn again; who is mutated is drawn from the mutation's own stream, first
"""
import json
import sys
import numpy as np

POPULATION, KEPT, PAIRS, SWAPS, MUTATIONS = 100, 60, 30, 5, 3
UNFLIP = (2**32 - 1) // 20
PURPOSE = 10
LOW = np.uint64(0xFFFFFFFF)


def philox(seed, index, first, blocks):
    """Words of blocks first .. first + blocks - 1 of a stream."""
    c = [np.arange(first, first + blocks, dtype=np.uint64)]
    c += [np.full(blocks, x, np.uint64) for x in (PURPOSE, index & 0xFFFFFFFF, index >> 32)]
    k = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        a, b = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(b >> np.uint64(32)) ^ c[1] ^ np.uint64(k[0]), b & LOW, (a >> np.uint64(32)) ^ c[3] ^ np.uint64(k[1]), a & LOW]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(c, 1).ravel()


class Stream:
    def __init__(self, seed, generation, number):
        self.seed, self.index, self.at = seed, generation << 24 | number, 0

    def words(self, n):
        first = self.at // 4
        w = philox(self.seed, self.index, first, (self.at + n + 3) // 4 - first + 1)
        w = w[self.at - 4 * first:][:n]
        self.at += n
        return w

    def below(self, n):
        while True:
            product = int(self.words(1)[0]) * n
            if product % 2**32 >= 2**32 % n:
                return product >> 32


class Network:
    """Fully connected layers of LIF neurons: v = 0.3 v + W x in float32, a spike and v = 0 where v > 0.3."""

    def __init__(self, folder, layers):
        codes = [np.load(f"{folder}/weights{i}.npy") for i in range(len(layers))]
        self.q = [np.where(c >= 128, 128 - c.astype(int), c.astype(int)).astype(np.float64) for c in codes]
        self.scale = [np.float32(x["scale"]) for x in layers]
        self.input = np.load(f"{folder}/input.npy").astype(np.float64)
        self.label = np.load(f"{folder}/label.npy").astype(int)
        # Bits that can be flipped: signs of weights that are not 0.
        self.searched = [x["searched"] for x in layers]
        self.bits = [(t, i) for t, x in enumerate(layers) if x["searched"] for i in np.flatnonzero(self.q[t])]
        self.first = self.searched.index(True)
        self.fixed = self.input
        for t in range(self.first):
            self.fixed = self.layer(self.fixed, self.q[t], self.scale[t])

    @staticmethod
    def layer(x, q, scale):
        """Counts [sample][step][in] -> spikes [sample][step][out]. Sums of integers: exact."""
        sums = (x @ q.T).astype(np.float32) * scale
        v = np.zeros_like(sums[:, 0])
        out = np.zeros(sums.shape)
        for step in range(sums.shape[1]):
            v = v * np.float32(0.3) + sums[:, step]
            spike = v > np.float32(0.3)
            out[:, step] = spike
            v = np.where(spike, np.float32(0), v)
        return out

    def evaluate(self, genes):
        """(correct, lead) with the signs of these bits flipped."""
        at, x = 0, self.fixed
        for t in range(self.first, len(self.q)):
            q = self.q[t].copy()
            if self.searched[t]:
                place = np.flatnonzero(q)
                flipped = place[genes[at:at + len(place)]]
                q.ravel()[flipped] = -q.ravel()[flipped]
                at += len(place)
            x = self.layer(x, q, self.scale[t])
        counts = x.sum(1)
        own = counts[np.arange(len(counts)), self.label]
        others = counts.copy()
        others[np.arange(len(counts)), self.label] = -np.inf
        return int((counts.argmax(1) == self.label).sum()), float((own - others.max(1)).sum()) / len(counts)


class Individual:
    def __init__(self, genes):
        self.genes, self.score = genes, None

    def mutate(self, stream):
        flipped = np.flatnonzero(self.genes)
        back = flipped[stream.words(len(flipped)) < UNFLIP]
        if len(back):
            self.genes[back] = False
            self.score = None

    def fitness(self, eps, samples):
        d, a = float(self.genes.sum()), self.score[0] / samples
        return eps * a if d <= eps else d + d * a


def crossover(a, b, stream):
    differ = np.flatnonzero(a.genes != b.genes)
    swapped = differ[stream.words(len(differ)) >> np.uint64(31) != 0]
    x, y = a.genes.copy(), b.genes.copy()
    x[swapped], y[swapped] = b.genes[swapped], a.genes[swapped]
    return Individual(x), Individual(y)


class Search:
    def __init__(self, network, seed, eps):
        self.network, self.seed, self.eps = network, seed, eps
        self.evaluations = 1  # the plain network
        self.people = [Individual(np.ones(len(network.bits), bool)) for _ in range(POPULATION)]
        for i, p in enumerate(self.people):
            p.mutate(Stream(seed, 0, 2**23 + i))
        self.rank()

    def rank(self):
        for p in self.people:
            if p.score is None:
                p.score = self.network.evaluate(p.genes)
                self.evaluations += 1
        self.people.sort(key=lambda p: p.fitness(self.eps, len(self.network.label)))  # stable

    def generation(self, g):
        numbers = iter(range(2**23))
        stream = lambda: Stream(self.seed, g, next(numbers))
        kept = self.people[:KEPT]
        mothers, fathers = list(kept[:PAIRS]), list(kept[PAIRS:])
        swaps = stream()
        for _ in range(SWAPS):
            i = swaps.below(PAIRS)
            mothers[i], fathers[i] = fathers[i], mothers[i]
        children = []
        for pair in range((POPULATION - KEPT) // 2):
            children += crossover(mothers[pair], fathers[pair], stream())
            for _ in range(MUTATIONS):
                mutation = stream()
                kept[1 + mutation.below(KEPT - 1)].mutate(mutation)
        self.people = kept + children
        self.rank()
        best = self.people[0]
        return int(best.genes.sum()), best.score[0], best.score[1], self.evaluations


def main(folder):
    with open(f"{folder}/problem.json") as f:
        problem = json.load(f)
    with open(f"{folder}/trajectory.csv") as f:
        theirs = [line.strip().split(",") for line in f]
    if len(theirs) != problem["generations"]:
        sys.exit(f"{len(theirs)} generations in the trajectory, expected {problem['generations']}")
    network = Network(folder, problem["layers"])
    search = Search(network, problem["seed"], problem["eps"])
    for g, (step, bits, correct, lead, evaluations) in enumerate(theirs):
        ours = search.generation(g)
        if (int(step), int(bits), int(correct), float(lead), int(evaluations)) != (g + 1, *ours):
            sys.exit(f"generation {g + 1}: bits, correct, lead, evaluations {bits} {correct} {lead} {evaluations}; the twin has {ours}")
    with open(f"{folder}/best.csv") as f:
        best = [tuple(int(x) for x in line.split(",")) for line in f]
    ours = [(t, int(i), 0) for (t, i), flipped in zip(network.bits, search.people[0].genes) if flipped]
    if best != ours:
        sys.exit(f"the last best set is not the twin's: {best[:5]}..., {ours[:5]}...")
    print(f"{len(theirs)} generations, {len(network.bits)} bits -> {bits}, {correct} of {len(network.label)} correct, {evaluations} evaluations")


if __name__ == "__main__":
    main(sys.argv[1])
