/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What keeps the Gemini CLI from reading a text as anything but a text. It takes `/dir add /etc` at a
 * prompt's beginning for a command, `@path` anywhere for a file to put in, `${…}` in a system text for a
 * variable, and drops turns of a history that begin with `/`, `?` or `<session_context>`. So the runner
 * gives it every text with a U+200B before and behind it, and one after each `@` and each `$`; and the
 * listener that the CLI asks takes exactly those out again. In between nothing is as the CLI looks for, and
 * upstream the text is what it was, byte for byte.
 */

#include "base/buf.h"

#define GUARD   "\xE2\x80\x8B" /* U+200B, ZERO WIDTH SPACE */
#define GUARD_N 3U

/* How long n bytes can become at worst. */
#define GUARD_SIZE(n) ((n) * (1U + GUARD_N) + 2U * GUARD_N)

/* Appends the text, guarded. Errors are the buffer's. */
int guard_append(Buf *b, const char *text, size_t n);

/*
 * The opposite: 1, and what stood between the guards is appended; or 0, and nothing is, because the text
 * is none of the runner's: it does not begin with a guard or does not end with one. Newlines before the
 * first guard go with it: one of them is what kept the CLI waiting for its prompt. Negative: the buffer's
 * error.
 */
int guard_remove(Buf *b, const char *text, size_t n);
