/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SNNSIM_VERSION_H
#define SNNSIM_VERSION_H
#define SNN_VERSION "0.1.0"
#define SNN_REPORT_SCHEMA 1 /* raised when a field of report.json changes its meaning or goes away */
#endif
