/* SPDX-License-Identifier: MIT
 * The one error domain of the engine. */
#include "base/hl-error.h"

G_DEFINE_QUARK (hl - error - quark, hl_error)
