# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of an encryption's report, computed anew from the predictions of runs: check_encrypt.py OUT PLAIN_TEST THIEF_TEST PLAIN_TRAIN THIEF_TRAIN (folders)."""
import csv
import json
import math
import sys


def predictions(folder):
    with open(folder + "/predictions.csv", newline="") as f:
        return [(int(r["label"]), int(r["predicted"])) for r in csv.DictReader(f)]


def wilson(hits, n, z=1.959963984540054):
    p = hits / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return p, middle - half, middle + half


def same(interval, expected):
    for name, value in zip(("value", "low", "high"), expected):
        assert abs(interval[name] - value) < 1e-9, (interval, expected)


def check(part, plain, thief, where):
    """One part whose samples all count."""
    assert part["samples"] == len(plain), where
    for name, run in (("plain", plain), ("without_key", thief)):
        got, hits = part[name], sum(a == b for a, b in run)
        assert got["correct"] == hits, (where, name, got["correct"], hits)
        same(got["accuracy"], wilson(hits, len(run)))
        assert got["predicted"] == [sum(b == c for _, b in run) for c in range(11)], (where, name)
        recalls = [[a == b for a, b in run if a == c] for c in range(11)]
        balanced = sum(sum(r) / len(r) for r in recalls) / 11
        assert abs(got["balanced_accuracy"]["value"] - balanced) < 1e-9, (where, name)
    agree = sum(a[1] == b[1] for a, b in zip(plain, thief))
    same(part["agreement"], wilson(agree, len(plain)))


out, *folders = sys.argv[1:]
plain_test, thief_test, plain_train, thief_train = map(predictions, folders)
with open(out + "/report.json") as f:
    report = json.load(f)
unseen = report["unseen"]
check(unseen["test"], plain_test, thief_test, "test")

# Of the training part the subset is left out: which samples is not told, but their counts are.
found = report["result"]
train = unseen["training"]
for name, key, run in (("plain", "plain", plain_train), ("without_key", "encrypted", thief_train)):
    hits = sum(a == b for a, b in run)
    assert train[name]["correct"] + found[key]["correct"] == hits, (name, train[name]["correct"], found[key], hits)
assert train["samples"] + report["subset"]["samples"] == len(plain_train)
assert unseen["all"]["samples"] == train["samples"] + unseen["test"]["samples"]
for name in ("plain", "without_key"):
    assert unseen["all"][name]["correct"] == train[name]["correct"] + unseen["test"][name]["correct"]

# the front: bits ascending, the result on it; no sums over samples by which a guessed key could be checked
with open(out + "/front.csv", newline="") as f:
    front = list(csv.DictReader(f))
bits = [int(r["bits"]) for r in front]
assert bits[0] == 0 and bits == sorted(set(bits)), bits
assert bits[-1] == found["bits"] and int(front[-1]["right"]) == found["encrypted"]["right"]
assert list(front[0]) == ["bits", "right", "share_right", "correct", "accuracy"]
for score in (found["plain"], found["encrypted"], *found["front"]):
    assert not set(score) - {"bits", "right", "correct", "accuracy", "largest_class"}, score
assert [r["bits"] for r in found["front"]] == bits
total = sum(layer["weights"] * layer["bits"] for layer in report["model"]["layers"])
assert report["model"]["weight_bits"] == total and abs(found["share_of_bits"] - found["bits"] / total) < 1e-12
assert abs(found["entropy_bound_bits"] - math.log2(math.comb(report["search"]["pool"], found["bits"]))) < 1e-6
