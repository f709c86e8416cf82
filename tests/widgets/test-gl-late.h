/* SPDX-License-Identifier: MIT
 * A tile source that answers only when it is told to. */
#pragma once

#include "gl/hl-tile-source.h"

G_BEGIN_DECLS

#define TEST_TYPE_LATE (late_get_type ())
G_DECLARE_FINAL_TYPE (Late, late, TEST, LATE, GObject)

/** (transfer full): of @scene's values, levels 0 to 3. */
Late *late_new (HlMatrixScene *scene);

/** Answers everything that was asked; returns how many tiles that were. */
guint late_answer (Late *self);

G_END_DECLS
