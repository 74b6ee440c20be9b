#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The experiment of experiment.sh for who goes on in Python: only the standard library is needed.

    experiment.py CONFIG FOLDER [ENCRYPT-OPTION]...
    experiment.py gesture.cfg results --model gesture.h5 --set encrypt.layers=conv1

Every command of snnsim prints its whole report as JSON with --json; here figures are taken from there. Writes the same two tables, with the same
environment (SNNSIM, SEEDS, SNNSIM_PASSPHRASE), and exits with 4 when a seed missed its goal.
"""
import csv
import json
import os
import subprocess
import sys


def snnsim(*words, fine=(0,)):
    """Runs a command; its exit code, and its report if it prints one."""
    done = subprocess.run([os.environ.get("SNNSIM", "snnsim"), *words], stdout=subprocess.PIPE, check=False)
    if done.returncode not in fine:
        sys.exit(done.returncode)  # snnsim has said why
    return done.returncode, json.loads(done.stdout) if done.stdout else None


def run(config, *options):
    """Accuracy in percent, and the digest of the output spikes."""
    _, report = snnsim("run", config, "--json", *options)
    return f"{100 * report['metrics']['accuracy']['value']:.2f}", report["digests"]["output_spikes"]


def given(options, name):
    for i, word in enumerate(options):
        if word == name:
            return options[i + 1]
        if word.startswith(name + "="):
            return word[len(name) + 1 :]
    return None


def one_seed(config, folder, seed, options, plain, plain_digest):
    """Line of the table and front of one seed."""
    name = os.path.join(folder, "seed" + seed)
    for path in (name + ".h5", name + ".key"):  # an experiment may be repeated; a key is never overwritten
        if os.path.exists(path):
            os.remove(path)
    code, report = snnsim(
        "encrypt", config, "-o", name + ".h5", "--key", name + ".key", "--set", "encrypt.seed=" + seed, "--json", *options, fine=(0, 4)
    )
    result = report["result"]
    front = [(seed, p["bits"], p["right"], p["correct"], p["accuracy"]) for p in result["front"]]
    if code == 4:
        return (seed, 0, front[-1][1], plain, "", "", ""), front
    without, _ = run(config, "--model", name + ".h5")
    with_key, digest = run(config, "--model", name + ".h5", "--key", name + ".key")
    return (seed, 1, result["bits"], plain, without, with_key, int(digest == plain_digest)), front


def main():
    if len(sys.argv) < 3:
        print(__doc__.split("\n\n")[1].replace("    ", "usage: "), file=sys.stderr)
        return 2
    config, folder, *options = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    model = given(options, "--model")
    if model is None:
        model = os.path.join(folder, "plain.h5")
        if not os.path.exists(model):
            snnsim("train", config, "--model", model, "--quiet")
        options += ["--model", model]
    if not os.environ.get("SNNSIM_PASSPHRASE"):
        options.append("--clear")
    plain, plain_digest = run(config, "--model", model)
    rows, fronts = [], []
    for seed in os.environ.get("SEEDS", "1 2 3").split():
        row, front = one_seed(config, folder, seed, options, plain, plain_digest)
        rows.append(row)
        fronts += front
    with open(os.path.join(folder, "experiment.csv"), "w", newline="") as f:
        table = csv.writer(f, lineterminator="\n")
        table.writerow("seed met bits plain_accuracy accuracy_without_key accuracy_with_key same_spikes".split())
        table.writerows(rows)
    with open(os.path.join(folder, "front.csv"), "w", newline="") as f:
        table = csv.writer(f, lineterminator="\n")
        table.writerow("seed bits right correct accuracy".split())
        table.writerows(fronts)
    with open(os.path.join(folder, "experiment.csv")) as f:
        sys.stdout.write(f.read())
    return 0 if all(row[1] for row in rows) else 4


if __name__ == "__main__":
    sys.exit(main())
