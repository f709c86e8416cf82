/* SPDX-License-Identifier: MIT
 * The checking child of the session's tests: what `headlight check-session` does. */
#include "session/hl-session.h"

int
main (int argc, char **argv)
{
  return hl_session_check_main (argc, argv);
}
