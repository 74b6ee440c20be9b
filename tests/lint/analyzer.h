/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Included before each file that clang-tidy reads (tidy.sh): tells the analyzer, which sees one file at a time, that these always return false. */
#include <snnsim/config.h>
#include <snnsim/error.h>
#define snn_fail(...) ((void)snn_fail(__VA_ARGS__), false)
#define snn_fail_errno(...) ((void)snn_fail_errno(__VA_ARGS__), false)
#define snn_error_context(...) ((void)snn_error_context(__VA_ARGS__), false)
#define snn_config_fail(...) ((void)snn_config_fail(__VA_ARGS__), false)
