/* SPDX-License-Identifier: MIT */
#pragma once

/* The log's sink for systemd's journal: MESSAGE, PRIORITY, MESSAGE_ID, CODE_*, and each field as
 * GEMGATE_NAME. It does not wait for journald (base/log-outlet). */

#include "base/log.h"

/* True if standard error is the journal's own stream ($JOURNAL_STREAM names its device and inode). */
bool log_journal_is_stderr(void);

void log_journal_sink(const LogRecord *r);
