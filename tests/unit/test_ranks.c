/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ranks without MPI: one rank that does everything; started by mpirun all the same, it is refused. (With MPI: tests/check/check_mpi.sh.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <snnsim/ranks.h>

#include <stdlib.h>
#include <string.h>

static void one_rank(void **state) {
    (void)state;
    snn_error err = {SNN_ERR_DATA, "mine"};
    int data[3] = {1, 2, 3};
    assert_int_equal(snn_rank(), 0);
    assert_int_equal(snn_ranks(), 1);
    for (size_t n = 0; n < 5; n++) {
        size_t first = 9, end = 9;
        snn_rank_part(n, &first, &end);
        assert_int_equal(first, 0);
        assert_int_equal(end, n);
    }
    assert_true(snn_rank_all(true, &err));
    assert_false(snn_rank_all(false, &err));
    assert_string_equal(err.text, "mine");
    assert_true(snn_rank_any(true));
    assert_false(snn_rank_any(false));
    assert_true(snn_rank_share(data, 3, sizeof *data, &err) && snn_rank_broadcast(data, sizeof data, &err));
    assert_true(data[0] == 1 && data[1] == 2 && data[2] == 3);
    assert_int_equal(snn_ranks_end(snn_ranks_begin(NULL, NULL), 4), 4);
}

static void started_by_mpirun(void **state) {
    (void)state;
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    for (int i = 0; i < 2; i++) {
        snn_error err = {0};
        unsetenv(names[0]);
        unsetenv(names[1]);
        assert_true(snn_ranks_check(&err));
        setenv(names[i], "1", 1);
        assert_true(snn_ranks_check(&err));
        setenv(names[i], "3", 1);
        assert_false(snn_ranks_check(&err));
        assert_int_equal(err.code, SNN_ERR_USAGE);
        assert_non_null(strstr(err.text, "mpirun started 3 of it"));
        assert_non_null(strstr(err.text, "make MPI=1"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_rank),
        cmocka_unit_test(started_by_mpirun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
