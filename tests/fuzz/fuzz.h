/* SPDX-License-Identifier: MIT
 * What a fuzz target gives. A target is one file, fuzz-NAME.c, with the two functions
 * below. Two programs are made of it:
 *  - with fuzz-main.c, under any compiler: mutates the seeds for a number of seconds
 *    (test-fuzz-NAME SECONDS [RANDOM-SEED]), prints TAP, and is one of the tests; with
 *    paths of files instead of a number it runs those once, to look at a crash;
 *  - with clang's -fsanitize=fuzzer (meson option fuzz): fuzz-NAME, without fuzz-main.c.
 * Before each execution fuzz-main.c writes the input to the file that the environment's
 * HEADLIGHT_FUZZ_LAST names, where it is set, so that a crash can be run again. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * LLVMFuzzerTestOneInput:
 * @data: @size bytes that may be anything; borrowed
 * Must return for every input, free what it took, and abort (g_assert) when a promise of
 * the code under test is broken.
 * Returns: 0
 */
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/**
 * fuzz_seeds:
 * Valid inputs to mutate, built in code. Only fuzz-main.c calls it, once.
 * Returns: (transfer full) (element-type GBytes): at least one
 */
GPtrArray *fuzz_seeds (void);

G_END_DECLS
