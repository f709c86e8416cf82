/* SPDX-License-Identifier: MIT
 * What a cluster of patterns is called until somebody names it: by the first of these
 * that holds of the means of its traits.
 *
 * Patches: "Uniform" row entropy above 0.95 · "CLS only" A[i,0] above 0.5 · "Self" A[i,i]
 * above 0.5 · "Few keys" the tenth of the keys most attended to above 0.5 · "Neighbours"
 * self and the eight around above 0.5 · "Row stripes", "Column stripes" above 0.5 and
 * above twice what a uniform map has · "Content" none of these. CLS: "Even" row entropy
 * above 0.95 · "CLS itself" above 0.5 · "Few patches" the top patch above 0.3 · "Parts of
 * the picture". Texts: "First token" A[i,0] above 0.5 · "Previous token" above 0.4 ·
 * "Same token" above 0.4 · "Few tokens" the tenth of the keys most attended to above 0.6
 * · "Recent tokens" one to four before above 0.5 · "Uniform" row entropy above 0.9 ·
 * "Content". A name that comes twice is numbered. Thread: any. */
#pragma once

#include "analysis/hl-pattern-maps.h"

G_BEGIN_DECLS

/** hl_pattern_name: (transfer none): of means of traits; @n_rows and @n_columns of the
 * grid, 0 for a text. */
const char *
hl_pattern_name (HlPatternKind kind, const double *traits, int n_rows, int n_columns);

G_END_DECLS
