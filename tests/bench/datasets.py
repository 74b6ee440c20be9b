#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every data set by the program itself: training with several seeds, float and 8 bit, and the bit search on each network. docs/datasets.md is made of what it prints.

    tests/bench/datasets.py train  NAME CONFIG [--seeds 5] [--folds N] [--set key=value]... --out FOLDER
    tests/bench/datasets.py search NAME CONFIG --model FILE [--layers a,b]... [--set key=value]... --out FOLDER
    tests/bench/datasets.py tables FOLDER...

train: seed s trains on all folds but fold (s - 1) mod N (without --folds: on the config's own split), so with as many seeds as folds each recording is tested once. What was measured stands in
FOLDER/NAME.train.json, one entry a seed, and is not measured again; the models stay beside it (NAME-s.h5, NAME-s.float.h5).
search: `snnsim encrypt` for each --layers (a list that is taken whole; without: all layers), into FOLDER/NAME.search.json."""

import argparse
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cross_validate import STUDENT, wilson  # noqa: E402

PROGRAM = os.environ.get("SNNSIM", "build/snnsim")


def program(*words, codes=(0,)):
    r = subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=False)
    if r.returncode not in codes:
        raise SystemExit("%s: %s" % (" ".join(words), r.stderr.strip() or r.returncode))
    return r


def load(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def save(path, entries):
    with open(path + ".new", "w", encoding="utf-8") as f:
        json.dump(entries, f, indent=1)
    os.replace(path + ".new", path)


def tested(config, sets, model):
    confusion = json.loads(program("run", config, *sets, "--model", model, "--json").stdout)["metrics"]["confusion"]
    return sum(row[i] for i, row in enumerate(confusion)), sum(map(sum, confusion)), len(confusion)


def options(sets):
    return [x for s in sets for x in ("--set", s)]


def train(a):
    path = os.path.join(a.out, a.name + ".train.json")
    entries = load(path)
    for seed in range(1, a.seeds + 1):
        if any(e["seed"] == seed for e in entries):
            continue
        sets = options(a.set + ["seed=%d" % seed] + (["dataset.folds=%d" % a.folds, "dataset.fold=%d" % ((seed - 1) % a.folds)] if a.folds else []))
        model = os.path.join(a.out, "%s-%d" % (a.name, seed))
        start = time.monotonic()
        program("train", a.config, *sets, "--model", model + ".h5", "--float", model + ".float.h5", "--quiet")
        seconds = time.monotonic() - start
        right, n, classes = tested(a.config, sets, model + ".h5")
        entries.append({"seed": seed, "samples": n, "classes": classes, "right": right, "float": tested(a.config, sets, model + ".float.h5")[0], "seconds": seconds, "set": a.set, "folds": a.folds})
        save(path, entries)
        print("%s seed %d: float %.2f %%, 8 bit %.2f %% of %d, %.0f s" % (a.name, seed, 100 * entries[-1]["float"] / n, 100 * right / n, n, seconds), flush=True)


def search(a):
    path = os.path.join(a.out, a.name + ".search.json")
    entries = load(path)
    for layers in a.layers or [""]:
        key = {"layers": layers, "set": a.set}
        if any(e["key"] == key for e in entries):
            continue
        enc = os.path.join(a.out, a.name + ".enc")
        for f in (enc + ".h5", enc + ".key", enc + ".key.search"):
            if os.path.exists(f):
                os.remove(f)
        start = time.monotonic()
        r = program("encrypt", a.config, *options(a.set + (["encrypt.layers=" + layers] if layers else [])), "--model", a.model, "-o", enc + ".h5", "--key", enc + ".key", "--clear", "--quiet", "--json",
                    codes=(0, 4))
        report = json.loads(r.stdout) if r.stdout.strip() else None
        entry = {"key": key, "met": r.returncode == 0, "seconds": time.monotonic() - start}
        if report and report["unseen"]:
            part = report["unseen"]["test"] if report["unseen"].get("test") else report["unseen"]["all"]
            entry.update(search=report["search"]["name"], bits=report["result"]["bits"], share=report["result"]["share_of_bits"], weight_bits=report["model"]["weight_bits"],
                         samples=part["samples"], before=part["plain"]["accuracy"]["value"], after=part["without_key"]["accuracy"], classes=report["dataset"]["classes"])
        entries.append(entry)
        save(path, entries)
        print(a.name, layers or "all", json.dumps(entry), flush=True)


def percent(x):
    return "%.1f" % (100 * x)


def tables(a):
    print("| network | samples tested | seeds | float % | 8 bit % (Wilson) | over seeds | chance % | training |\n|" + "---|" * 8)
    for folder in a.folders:
        for f in sorted(os.listdir(folder)):
            if not f.endswith(".train.json"):
                continue
            e = load(os.path.join(folder, f))
            # with folds each recording is tested once; else all seeds see the same ones
            n = sum(x["samples"] for x in e) if e[0]["folds"] else e[0]["samples"]
            n = n * e[0]["folds"] // len(e) if len(e) > e[0]["folds"] > 0 else n
            means = [x["right"] / x["samples"] for x in e]
            mean = sum(x["right"] for x in e) / sum(x["samples"] for x in e)
            low, high = wilson(mean, n)
            spread = (sum((m - mean) ** 2 for m in means) / (len(means) - 1)) ** 0.5 if len(means) > 1 else 0
            half = STUDENT[min(len(means) - 2, len(STUDENT) - 1)] * spread / len(means) ** 0.5 if len(means) > 1 else 0
            print("| %s | %d | %d | %s | %s (%s .. %s) | %s .. %s | %s | %.0f s |" % (
                f[:-11], n, len(e), percent(sum(x["float"] for x in e) / sum(x["samples"] for x in e)), percent(mean), percent(low), percent(high),
                percent(mean - half), percent(mean + half), percent(1 / e[0]["classes"]), sum(x["seconds"] for x in e) / len(e)))
    print("\n| network | layers | search | bits | of weight bits | share | before % | without key % (Wilson) | unseen samples | time |\n|" + "---|" * 10)
    for folder in a.folders:
        for f in sorted(os.listdir(folder)):
            for e in load(os.path.join(folder, f)) if f.endswith(".search.json") else []:
                if "bits" not in e:
                    print("| %s | %s | - | not met | | | | | | %.0f s |" % (f[:-12], e["key"]["layers"] or "all", e["seconds"]))
                    continue
                print("| %s | %s | %s | %d%s | %d | %.5f %% | %s | %s (%s .. %s) | %d | %.0f s |" % (
                    f[:-12], e["key"]["layers"] or "all", e["search"], e["bits"], "" if e["met"] else " (goal not met)", e["weight_bits"], 100 * e["share"], percent(e["before"]),
                    percent(e["after"]["value"]), percent(e["after"]["low"]), percent(e["after"]["high"]), e["samples"], e["seconds"]))


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    sub = p.add_subparsers(required=True)
    for name, work in (("train", train), ("search", search)):
        s = sub.add_parser(name)
        s.add_argument("name")
        s.add_argument("config")
        s.add_argument("--set", action="append", default=[])
        s.add_argument("--out", required=True)
        s.set_defaults(work=work)
        if name == "train":
            s.add_argument("--seeds", type=int, default=5)
            s.add_argument("--folds", type=int, default=0)
        else:
            s.add_argument("--model", required=True)
            s.add_argument("--layers", action="append", default=[])
    s = sub.add_parser("tables")
    s.add_argument("folders", nargs="+")
    s.set_defaults(work=tables)
    a = p.parse_args()
    if "out" in a:
        os.makedirs(a.out, exist_ok=True)
    a.work(a)


main()
