#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""An independent twin of SNNGX's genetic search (crypto/snngx.c) in NumPy, with a network of its own.

snngx_twin.py FOLDER                       repeats the search that tests/check/snngx_trace wrote into FOLDER, and compares every generation (best individual: bits, correct samples, lead; evaluations) and the last best set
snngx_twin.py FOLDER SEED EPS POPULATION   the same for what tests/check/snngx_trajectory wrote: compares every individual of every generation, and its fitness

Published (arXiv 2407.15152 and its code): population 100, all bits flipped and then mutated; mutation takes each flip back with probability 0.05; fitness of D flips with accuracy A: D <= eps ? eps A :
D + D A; the best 60 stay, as halves of 30; 5 random indices are swapped between the halves (which is taken to mean: 5 times a random one of each half change places); uniform crossover, two children a pair, until there are 100; each round mutates three of the kept, never the best.

Draws, in words of Philox4x32-10 streams (seed, purpose 10, generation << 24 | number):
  first population  individual i has stream 2^23 + i of generation 0
  a generation      stream 0: the 5 swaps, for each the place in the first half, then that in the second; then for each of the 20 rounds: one stream for the crossover, three for the mutations
  mutation          one word for each flip, ascending: back when it is below floor((2^32 - 1) / 20)
  crossover         one word for each flip that only one parent has, ascending: top bit 0 leaves it with its own child, 1 gives it to the other
  number below n    upper word of word * n, words that would bias it drawn again; who is mutated is drawn from the mutation's own stream, first
"""
import json
import sys
import numpy as np

POPULATION, SWAPS, MUTATIONS = 100, 5, 3
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

    def __init__(self, q, scale, place, x, label):
        """place: of each layer, the weights whose signs may be flipped; x: input counts [sample][step][line]."""
        self.q, self.scale, self.place, self.label = q, scale, place, label
        self.bits = [(t, i) for t, p in enumerate(place) for i in p]
        self.first = next(t for t, p in enumerate(place) if len(p))
        self.fixed = x
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
            place = self.place[t]
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
    def __init__(self, network, seed, eps, population=POPULATION):
        self.network, self.seed, self.eps = network, seed, eps
        self.evaluations = 1  # the plain network
        self.people = [Individual(np.ones(len(network.bits), bool)) for _ in range(population)]
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
        population, pairs = len(self.people), len(self.people) * 3 // 10
        kept = self.people[:2 * pairs]
        mothers, fathers = kept[:pairs], kept[pairs:]
        swaps = stream()
        for _ in range(SWAPS):
            i, k = swaps.below(pairs), swaps.below(pairs)
            mothers[i], fathers[k] = fathers[k], mothers[i]
        children = []
        for pair in range((population - len(kept) + 1) // 2):
            children += crossover(mothers[pair % pairs], fathers[pair % pairs], stream())
            for _ in range(MUTATIONS):
                mutation = stream()
                kept[1 + mutation.below(len(kept) - 1)].mutate(mutation)
        self.people = (kept + children)[:population]
        self.rank()
        best = self.people[0]
        return int(best.genes.sum()), best.score[0], best.score[1], self.evaluations


def traced(folder, layers):
    codes = [np.load(f"{folder}/weights{i}.npy") for i in range(len(layers))]
    q = [np.where(c >= 128, 128 - c.astype(int), c.astype(int)).astype(np.float64) for c in codes]
    # All signs but those of zeros.
    place = [np.flatnonzero(q[t]) if x["searched"] else np.zeros(0, int) for t, x in enumerate(layers)]
    x = np.load(f"{folder}/input.npy").astype(np.float64)
    return Network(q, [np.float32(x["scale"]) for x in layers], place, x, np.load(f"{folder}/label.npy").astype(int))


def compare_populations(folder, seed, eps, size):
    with open(f"{folder}/problem.txt") as f:
        p = dict(line.split() for line in f)
    if np.float32(p["decay"]) != np.float32(0.3) or np.float32(p["threshold"]) != np.float32(0.3):
        sys.exit("not the published neuron")
    samples, steps, inputs, classes, bits = (int(p[k]) for k in ("samples", "steps", "inputs", "classes", "candidates"))
    read = lambda name, kind: np.fromfile(f"{folder}/{name}", kind)
    hidden = read("hidden", np.uint8).reshape(samples, steps, inputs).astype(np.float64)
    weight = read("weight", np.int8).reshape(classes, inputs).astype(np.float64)
    network = Network([weight], [np.float32(p["scale"])], [read("candidate", "<u4").astype(int)], hidden, read("label", np.uint8).astype(int))
    people, fitness = read("population", np.uint8), read("fitness", "<f8")
    people = np.unpackbits(people.reshape(len(fitness), -1), axis=1)[:, :bits].astype(bool)
    generations = len(fitness) // size - 1
    search = Search(network, seed, eps, size)
    for g in range(generations + 1):
        if g > 0:
            search.generation(g - 1)
        for i, individual in enumerate(search.people):
            ours, at = individual.fitness(eps, samples), g * size + i
            if fitness[at] != ours or not np.array_equal(people[at], individual.genes):
                sys.exit(f"generation {g}, individual {i}: {people[at].sum()} bits, fitness {fitness[at]!r}; the twin has {individual.genes.sum()}, {ours!r}")
    print(f"{size} individuals, {generations} generations, {bits} bits -> {search.people[0].genes.sum()}, {search.people[0].score[0]} of {samples} correct")


def main(folder):
    with open(f"{folder}/problem.json") as f:
        problem = json.load(f)
    with open(f"{folder}/trajectory.csv") as f:
        theirs = [line.strip().split(",") for line in f]
    if len(theirs) != problem["generations"]:
        sys.exit(f"{len(theirs)} generations in the trajectory, expected {problem['generations']}")
    network = traced(folder, problem["layers"])
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
    if len(sys.argv) == 5:
        compare_populations(sys.argv[1], *(int(x) for x in sys.argv[2:]))
    else:
        main(sys.argv[1])
