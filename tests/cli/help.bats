#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Help texts, version, and the sentence and exit code of every misuse. UPDATE=1 writes the help texts anew.
load helpers

setup_file() {
    export BATS_NO_PARALLELIZE_WITHIN_FILE=true
}

setup() {
    cd "$ROOT" || return 1
}

golden() { # NAME ARGUMENT...: stdout as in golden/NAME.txt, nothing on stderr, exit code 0
    local name=$1
    shift
    [ -z "${UPDATE:-}" ] || "$SNNSIM" "$@" >"tests/cli/golden/$name.txt"
    go "$@"
    expect 0
    [ -z "$stderr" ]
    diff "tests/cli/golden/$name.txt" <("$SNNSIM" "$@")
}

@test "snnsim --help" { golden help --help; }
@test "snnsim run --help" { golden run run --help; }
@test "snnsim sweep --help" { golden sweep sweep --help; }
@test "snnsim train --help" { golden train train --help; }
@test "snnsim model --help" { golden model model --help; }
@test "snnsim model show --help" { golden model_show model show --help; }
@test "snnsim model import --help" { golden model_import model import --help; }
@test "snnsim model export --help" { golden model_export model export --help; }
@test "snnsim model quantise --help" { golden model_quantise model quantise --help; }
@test "snnsim model diff --help" { golden model_diff model diff --help; }
@test "snnsim encrypt --help" { golden encrypt encrypt --help; }
@test "snnsim decrypt --help" { golden decrypt decrypt --help; }
@test "snnsim key --help" { golden key key --help; }
@test "snnsim key show --help" { golden key_show key show --help; }
@test "snnsim key seal --help" { golden key_seal key seal --help; }
@test "snnsim key rotate --help" { golden key_rotate key rotate --help; }
@test "snnsim hw --help" { golden hw hw --help; }
@test "snnsim hw map --help" { golden hw_map hw map --help; }
@test "snnsim hw program --help" { golden hw_program hw program --help; }
@test "snnsim hw device --help" { golden hw_device hw device --help; }
@test "snnsim hw support --help" { golden hw_support hw support --help; }
@test "snnsim hw efficiency --help" { golden hw_efficiency hw efficiency --help; }
@test "snnsim hw power --help" { golden hw_power hw power --help; }
@test "snnsim hw run --help" { golden hw_run hw run --help; }
@test "snnsim hw line --help" { golden hw_line hw line --help; }
@test "snnsim hw fault --help" { golden hw_fault hw fault --help; }
@test "snnsim hw compare --help" { golden hw_compare hw compare --help; }
@test "snnsim dataset --help" { golden dataset dataset --help; }
@test "snnsim dataset show --help" { golden dataset_show dataset show --help; }
@test "snnsim dataset make --help" { golden dataset_make dataset make --help; }
@test "snnsim dataset verify --help" { golden dataset_verify dataset verify --help; }
@test "snnsim config --help" { golden config config --help; }

@test "every command of the help has a help" {
    for command in $("$SNNSIM" --help | sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
        go "$command" --help
        expect 0
        [[ $output == "Usage: snnsim $command"* ]]
        go "$command" -h
        expect 0
    done
}

@test "the version is the header's" {
    go --version
    expect 0
    [ "${lines[0]}" = "snnsim $(sed -n 's/^.define SNN_VERSION "\(.*\)"/\1/p' include/snnsim/version.h)" ]
}

@test "docs/config.md is up to date" {
    diff docs/config.md <("$SNNSIM" config --markdown)
}

@test "config lists every key once" {
    diff <(sed -n 's/^    {"\([^"]*\)".*/\1/p' base/config_keys.c | sort) \
        <("$SNNSIM" config | sed -n -e 's/^  \([^ ]*\) (.*/\1/p' -e 's/^\([][a-z.]*\): .*/\1/p' | sort)
}

# Lines of golden/misuse.txt: exit code, arguments, stderr; separated by |
@test "misuse gives one sentence and its exit code" {
    wrong=0
    while IFS='|' read -r code arguments sentence; do
        [[ $code == "#"* ]] && continue
        eval "go $arguments"
        if [ "$status" != "$code" ] || [ "$stderr" != "$sentence" ] || [ -n "$output" ]; then
            printf -- '--- snnsim %s\nexpected (%s) %s\ngot      (%s) %s\nstdout   %s\n' "$arguments" "$code" "$sentence" "$status" "$stderr" "$output"
            wrong=1
        fi
    done <tests/cli/golden/misuse.txt
    [ $wrong -eq 0 ]
}

@test "a full standard output is an error" {
    [ -e /dev/full ] || skip "no /dev/full"
    for command in "--help" "--version" "config" "run --help" "config --markdown"; do
        # shellcheck disable=SC2086
        run bash -c "'$SNNSIM' $command 2>&1 >/dev/full"
        [ "$status" -eq 1 ]
        [ "$output" = "snnsim: cannot write to standard output: No space left on device" ]
    done
}
